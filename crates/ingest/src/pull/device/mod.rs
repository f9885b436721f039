//! A camera of this machine.

mod error;
#[cfg(test)]
mod tests;
mod v4l2;
mod yuyv;

use std::{fmt, os::fd::BorrowedFd, sync::Arc, time::Duration};

use bytes::Bytes;
use ocelli_media::{AccessUnit, Codec, CodecParameters, pixel::jpeg::JpegEncoder};
use ocelli_model::TimeBase;
use tokio::{runtime::Handle, time::timeout};

pub use self::error::DeviceError;
use self::v4l2::{Camera, ready};
use super::driver::Driver;
use crate::{DeviceFormat, DeviceOptions, Source, SourceError, Stop};

/// Ticks a second, in which drivers tell time.
const CLOCK: u32 = 1_000_000;
/// What raw pictures are compressed with: no artefact that a model or an eye would mind.
const QUALITY: u8 = 92;

/// What a camera sends.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    coding: DeviceFormat,
    width: u32,
    height: u32,
    /// Bytes between the starts of two raw rows.
    stride: usize,
    /// Pictures a second, where it says.
    rate: Option<f64>,
}

/// A picture as it came.
#[derive(Debug)]
struct Captured {
    data: Vec<u8>,
    /// On the driver's clock.
    micros: i64,
    /// The driver says that something is wrong with it.
    flawed: bool,
    /// Pictures before it that nobody took in time.
    lost: u64,
}

/// What pictures come from.
trait Capture: Send + fmt::Debug {
    fn format(&self) -> Format;

    /// Readable when a picture may be there.
    fn readiness(&self) -> BorrowedFd<'_>;

    /// A picture, if there is one.
    fn take(&mut self) -> Result<Option<Captured>, DeviceError>;
}

/// A camera of this machine. Every picture is a JPEG, the camera's own or, of one that sends raw pictures, ours; PTS are
/// microseconds of the driver's clock, which begins anywhere. A picture that comes while four wait is lost, and told as damage.
/// Blocking.
#[derive(Debug)]
pub struct DeviceSource {
    capture: Box<dyn Capture>,
    stall_timeout: Duration,
    stop: Stop,
    parameters: Arc<CodecParameters>,
    encoder: Option<JpegEncoder>,
    zero: Option<i64>,
    lost: u64,
    damage: Option<String>,
    driver: Driver,
}

impl DeviceSource {
    /// Opens and starts it.
    pub fn open(
        options: &DeviceOptions,
        stall_timeout: Duration,
        stop: &Stop,
        runtime: Option<&Handle>,
    ) -> Result<Self, SourceError> {
        let driver = Driver::new(runtime).map_err(DeviceError::Runtime)?;
        Self::of(Box::new(Camera::open(options)?), stall_timeout, stop, driver)
    }

    fn of(
        capture: Box<dyn Capture>,
        stall_timeout: Duration,
        stop: &Stop,
        driver: Driver,
    ) -> Result<Self, SourceError> {
        let format = capture.format();
        let time_base = TimeBase::new(1, CLOCK).expect("neither is zero");
        let mut parameters = CodecParameters::new(Codec::Mjpeg, Bytes::new(), time_base);
        (parameters.width, parameters.height) = (format.width, format.height);
        parameters.frame_rate = format.rate.unwrap_or(0.0);
        let raw = format.coding == DeviceFormat::Yuyv;
        let encoder = raw.then(|| JpegEncoder::new(QUALITY)).transpose().map_err(DeviceError::Compress)?;
        Ok(Self {
            capture,
            stall_timeout,
            stop: stop.clone(),
            parameters: Arc::new(parameters),
            encoder,
            zero: None,
            lost: 0,
            damage: None,
            driver,
        })
    }

    /// Waits for a picture.
    fn captured(&mut self) -> Result<Captured, SourceError> {
        let Self { capture, stall_timeout, .. } = self;
        let patient = async {
            let next = timeout(*stall_timeout, next(&mut **capture)).await;
            next.unwrap_or(Err(DeviceError::Stalled(*stall_timeout)))
        };
        self.driver.wait(self.stop.unless(patient))
    }

    /// A JPEG of it; `None` where it is not whole.
    fn picture(&mut self, captured: Captured) -> Result<Option<Bytes>, SourceError> {
        let Some(encoder) = &mut self.encoder else {
            let whole = captured.data.starts_with(b"\xff\xd8");
            return Ok(whole.then(|| Bytes::from(captured.data)));
        };
        let Some(planes) = yuyv::planes(&self.capture.format(), &captured.data) else { return Ok(None) };
        let jpeg = encoder.encode(&planes.as_picture(), None).map_err(DeviceError::Compress)?;
        Ok(Some(Bytes::copy_from_slice(jpeg)))
    }

    fn lose(&mut self, pictures: u64) {
        if pictures > 0 {
            self.lost += pictures;
            self.damage = Some(format!("pictures of the camera that were lost: {}", self.lost));
        }
    }
}

async fn next(capture: &mut dyn Capture) -> Result<Captured, DeviceError> {
    loop {
        if let Some(captured) = capture.take()? {
            return Ok(captured);
        }
        ready(capture.readiness()).await.map_err(DeviceError::Runtime)?;
    }
}

impl Source for DeviceSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        loop {
            let captured = self.captured()?;
            self.lose(captured.lost);
            let (pts, flawed) = (captured.micros, captured.flawed);
            let Some(data) = self.picture(captured)? else {
                self.lose(1);
                continue;
            };
            self.zero.get_or_insert(pts);
            let mut unit = AccessUnit::new(pts, data, Arc::clone(&self.parameters));
            unit.dts = Some(pts);
            (unit.container_keyframe, unit.damaged) = (true, flawed);
            return Ok(Some(unit));
        }
    }

    fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    fn zero(&self) -> i64 {
        self.zero.unwrap_or(0)
    }
}
