//! Posted pictures as a stream reads them.

use std::sync::Arc;

use ocelli_media::{AccessUnit, Codec, CodecParameters};
use ocelli_model::{StreamId, TimeBase};
use tokio::runtime::Handle;

use super::{
    FrameHub, FramesError,
    hub::{Posted, Slot},
    picture::{Kind, Look},
};
use crate::{Source, SourceError, Stop, pull::Driver};

/// Ticks a second.
const CLOCK: u32 = 1000;

/// What is posted for a key, until the end is asked for: between pictures any time may pass. Each is a picture of its own,
/// coded as it came; PTS are in milliseconds. Blocking.
#[derive(Debug)]
pub struct FrameSource {
    hub: Arc<FrameHub>,
    key: StreamId,
    slot: Arc<Slot>,
    stop: Stop,
    driver: Driver,
    parameters: Arc<CodecParameters>,
    /// Read when it was opened: nobody else knows how it is coded.
    first: Option<AccessUnit>,
    zero: i64,
}

impl FrameSource {
    /// Takes pictures from here on, and waits for the first.
    pub fn open(
        hub: &Arc<FrameHub>,
        key: &StreamId,
        stop: &Stop,
        runtime: Option<&Handle>,
    ) -> Result<Self, SourceError> {
        let driver = Driver::new(runtime).map_err(FramesError::Runtime)?;
        let slot = hub.read(key)?;
        let unset = Look { kind: Kind::Jpeg, width: 0, height: 0 };
        let mut source = Self {
            hub: Arc::clone(hub),
            key: key.clone(),
            slot,
            stop: stop.clone(),
            driver,
            parameters: Arc::new(parameters(unset)),
            first: None,
            zero: 0,
        };
        let first = source.read()?;
        source.zero = first.pts;
        source.first = Some(first);
        Ok(source)
    }

    fn read(&mut self) -> Result<AccessUnit, SourceError> {
        let next = async { Ok::<_, FramesError>(self.slot.next().await) };
        let Posted { pts, data, look } = self.driver.wait(self.stop.unless(next))?;
        let new = parameters(look);
        let (known, size) = (&self.parameters, (new.width, new.height));
        if known.codec != new.codec || (known.width, known.height) != size {
            self.parameters = Arc::new(new);
        }
        let mut unit = AccessUnit::new(pts, data, Arc::clone(&self.parameters));
        unit.dts = Some(pts);
        unit.container_keyframe = true;
        Ok(unit)
    }
}

fn parameters(look: Look) -> CodecParameters {
    let codec = match look.kind {
        Kind::Jpeg => Codec::Mjpeg,
        Kind::Png => Codec::named("png"),
    };
    let time_base = TimeBase::new(1, CLOCK).expect("neither is zero");
    let mut parameters = CodecParameters::new(codec, bytes::Bytes::new(), time_base);
    (parameters.width, parameters.height) = (look.width, look.height);
    parameters
}

impl Source for FrameSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.read().map(Some),
        }
    }

    fn damage(&self) -> Option<&str> {
        None
    }

    fn zero(&self) -> i64 {
        self.zero
    }
}

impl Drop for FrameSource {
    fn drop(&mut self) {
        self.hub.leave(&self.key);
    }
}
