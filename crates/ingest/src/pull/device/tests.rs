//! What becomes of pictures after they were captured: a camera of which only the driver is missing.

use std::{
    collections::VecDeque,
    fs::File,
    io::{PipeReader, PipeWriter, Read as _, Write as _},
    os::fd::AsFd as _,
    process::Command,
    thread,
};

use ocelli_media::{
    decode::Decoder as _,
    libav::{Demuxer, LibavDecoder},
};
use ocelli_testkit::{Clip, ClipCodec, Container, read_number};

use super::*;

const SIZE: (u32, u32) = (192, 128);

/// Gives what is put there, each when a byte in a pipe says so. Without bytes and without a writer it was unplugged.
#[derive(Debug)]
struct Stand {
    format: Format,
    pictures: VecDeque<Captured>,
    ready: PipeReader,
}

impl Capture for Stand {
    fn format(&self) -> Format {
        self.format
    }

    fn readiness(&self) -> BorrowedFd<'_> {
        self.ready.as_fd()
    }

    fn take(&mut self) -> Result<Option<Captured>, DeviceError> {
        match self.ready.read(&mut [0]) {
            Ok(0) => Err(DeviceError::Gone),
            Ok(_) => Ok(self.pictures.pop_front()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(cause) => Err(DeviceError::of("give a buffer", cause)),
        }
    }
}

fn captured(data: &[u8], n: i64) -> Captured {
    Captured { data: data.to_vec(), micros: 5_000_000 + n * 33_333, flawed: false, lost: 0 }
}

/// A source of these pictures, and what makes the next ready.
fn source(format: DeviceFormat, pictures: Vec<Captured>, stop: &Stop) -> (DeviceSource, PipeWriter) {
    let (ready, more) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&ready, true).unwrap();
    let format = Format {
        coding: format,
        width: SIZE.0,
        height: SIZE.1,
        stride: SIZE.0 as usize * 2,
        rate: Some(30.0),
    };
    let stand = Stand { format, pictures: pictures.into(), ready };
    let driver = Driver::new(None).unwrap();
    let source = DeviceSource::of(Box::new(stand), Duration::from_secs(10), stop, driver).unwrap();
    (source, more)
}

fn numbers(units: &[AccessUnit]) -> Vec<Option<u32>> {
    let mut decoder = LibavDecoder::open(&units[0].parameters).unwrap();
    let mut number = |unit: &AccessUnit| {
        decoder.send(unit, true).unwrap();
        let frame = decoder.receive().unwrap().unwrap().frame.unwrap().unwrap();
        let (luma, size) = (frame.picture().planes[0], (frame.picture().width, frame.picture().height));
        assert_eq!(size, SIZE);
        read_number(luma.data, luma.stride, size.0 as usize, size.1 as usize)
    };
    units.iter().map(&mut number).collect()
}

/// Ten raw pictures by FFmpeg's tool.
fn raw() -> Vec<Vec<u8>> {
    let clip = Clip::new(SIZE.0 as usize, SIZE.1 as usize).frames(10).cached();
    let mut made = Command::new("ffmpeg");
    made.args(["-v", "error", "-i"]).arg(clip).args(["-pix_fmt", "yuyv422", "-f", "rawvideo", "-"]);
    let bytes = made.output().unwrap().stdout;
    bytes.chunks((SIZE.0 * SIZE.1 * 2) as usize).map(<[u8]>::to_vec).collect()
}

#[test]
fn raw_pictures_become_units_at_their_times() {
    let pictures = raw();
    assert_eq!(pictures.len(), 10);
    let pictures = pictures.iter().zip(0..).map(|(data, n)| captured(data, n)).collect();
    let (mut source, mut more) = source(DeviceFormat::Yuyv, pictures, &Stop::default());
    assert_eq!((source.parameters().width, source.parameters().height), SIZE);
    let units = thread::scope(|scope| {
        // Ready one by one, while the source waits.
        scope.spawn(|| (0..10).for_each(|_| more.write_all(&[1]).unwrap()));
        (0..10).map(|_| source.next_unit().unwrap().unwrap()).collect::<Vec<_>>()
    });
    let times: Vec<i64> = units.iter().map(|unit| unit.pts).collect();
    assert_eq!(times, (0..10).map(|n| 5_000_000 + n * 33_333).collect::<Vec<_>>());
    assert_eq!(numbers(&units), (0..10).map(Some).collect::<Vec<_>>());
    assert_eq!((source.zero(), source.damage()), (5_000_000, None));
    drop(more);
    assert!(matches!(source.next_unit(), Err(SourceError::Device(DeviceError::Gone))));
}

#[test]
fn compressed_pictures_are_not_touched() {
    let clip = Clip::new(SIZE.0 as usize, SIZE.1 as usize).frames(5).codec(ClipCodec::Mjpeg);
    let clip = clip.container(Container::Avi).cached();
    let mut demuxer = Demuxer::open(Box::new(File::open(clip).unwrap())).unwrap();
    let jpegs: Vec<Bytes> =
        std::iter::from_fn(|| demuxer.next_unit().unwrap()).map(|unit| unit.data).collect();
    let pictures = jpegs.iter().zip(0..).map(|(data, n)| captured(data, n)).collect();
    let (mut source, mut more) = source(DeviceFormat::Mjpeg, pictures, &Stop::default());
    more.write_all(&[1; 5]).unwrap();
    let units: Vec<_> = (0..5).map(|_| source.next_unit().unwrap().unwrap()).collect();
    assert_eq!(units.iter().map(|unit| unit.data.clone()).collect::<Vec<_>>(), jpegs);
    assert_eq!(numbers(&units), (0..5).map(Some).collect::<Vec<_>>());
}

#[test]
fn what_is_lost_is_told() {
    let pictures = raw();
    let cut = captured(&pictures[0][..100], 0);
    let late = Captured { lost: 3, flawed: true, ..captured(&pictures[7], 7) };
    let (mut source, mut more) = source(DeviceFormat::Yuyv, vec![cut, late], &Stop::default());
    more.write_all(&[1; 2]).unwrap();
    let unit = source.next_unit().unwrap().unwrap();
    assert!(unit.damaged && numbers(&[unit]) == [Some(7)]);
    assert_eq!(source.damage(), Some("pictures of the camera that were lost: 4"));
    let (mut source, mut more) =
        self::source(DeviceFormat::Mjpeg, vec![captured(b"nothing", 0)], &Stop::default());
    more.write_all(&[1]).unwrap();
    drop(more);
    assert!(source.next_unit().is_err());
    assert_eq!(source.damage(), Some("pictures of the camera that were lost: 1"));
}

#[test]
fn waits_end() {
    let stop = Stop::default();
    let (mut waiting, _more) = source(DeviceFormat::Yuyv, Vec::new(), &stop);
    thread::scope(|scope| {
        scope.spawn(|| stop.stop());
        assert!(matches!(waiting.next_unit(), Err(SourceError::Stopped)));
    });
    let (mut waiting, _more) = source(DeviceFormat::Yuyv, Vec::new(), &Stop::default());
    waiting.stall_timeout = Duration::from_millis(50);
    assert!(matches!(waiting.next_unit(), Err(SourceError::Device(DeviceError::Stalled(_)))));
}

#[test]
fn planes_of_a_raw_picture() {
    let format = Format { coding: DeviceFormat::Yuyv, width: 2, height: 3, stride: 6, rate: None };
    // Rows end with two bytes that mean nothing.
    let data = [1, 10, 2, 20, 0, 0, 3, 11, 4, 22, 0, 0, 5, 30, 6, 40, 0, 0];
    let planes = yuyv::planes(&format, &data).unwrap();
    assert_eq!(planes.planes, [vec![1, 2, 3, 4, 5, 6], vec![11, 30], vec![21, 40]]);
    assert!(yuyv::planes(&format, &data[..16]).is_some(), "what follows the last row need not be there");
    assert!(yuyv::planes(&format, &data[..15]).is_none());
    assert!(yuyv::planes(&Format { width: 3, ..format }, &[0; 100]).is_none());
    assert!(yuyv::planes(&Format { height: 0, ..format }, &[0; 100]).is_none());
}
