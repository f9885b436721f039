use std::thread;

use ocelli_ingest::{Source as _, pull::FileSource};
use ocelli_media::{
    decode::{DecodeError, Decoder},
    libav::decoders,
    pixel::jpeg::JpegEncoder,
    sampler::Sampler,
};
use ocelli_model::SamplingPlan;
use ocelli_sinks::FrameCache;
use ocelli_testkit::Clip;

use super::*;
use crate::{
    choosing::Choosing,
    stream::{StreamState, StreamStatus, now, pool::Pool},
};

const PICTURES: u32 = 200;

fn seat() -> Arc<Seat> {
    let status = StreamStatus {
        id: "cam".parse().unwrap(),
        state: StreamState::Running,
        source: String::new(),
        frame_count: 0,
        last_error: None,
        restart_count: 0,
        created_ms: 0,
        started_ms: None,
        run: None,
        width: None,
        height: None,
        codec: None,
        tally: ocelli_model::Tally::default(),
    };
    Arc::new(Seat::new(status, Arc::new(FrameCache::new(1 << 20))))
}

fn source() -> FileSource {
    FileSource::open(&Clip::new(64, 64).frames(PICTURES).rate(25, 1).cached()).unwrap()
}

fn flow(pool: &Pool, source: &FileSource, live: bool) -> Arc<Flow> {
    let base = source.parameters().time_base;
    let look = LookStage::new(false, JpegEncoder::new(90).unwrap(), None, Vec::new(), None);
    let stages = (DecodeStage::new(decoders(None), base, 0), look);
    Flow::new(seat(), pool.line().clone(), stages, live)
}

/// Plans every picture of it, then the end.
fn read(mut source: FileSource, flow: &Flow) {
    let sampler = Sampler::new(SamplingPlan::All, source.parameters().time_base);
    let mut choosing = Choosing::new(source.parameters(), sampler);
    loop {
        let unit = source.next_unit().unwrap();
        let ended = unit.is_none();
        match unit {
            Some(unit) => choosing.push(unit, |_unit| {}),
            None => choosing.finish(|_unit| {}),
        }
        while let Some(step) = choosing.next_step() {
            let coded = match step {
                Step::EndOfRun { last_pts } => Coded::RunEnd { last_pts, due: 0, whole: true },
                step => Coded::Step(step),
            };
            flow.plan(coded, now(), now());
        }
        if ended {
            return flow.plan(Coded::End, now(), now());
        }
    }
}

#[test]
fn stages_rest_while_what_follows_is_stuck_and_then_go_on() {
    let (pool, source) = (Pool::start(2).unwrap(), source());
    let flow = flow(&pool, &source, false);
    thread::scope(|scope| {
        scope.spawn(|| read(source, &flow));
        let stuck =
            || lock(&flow.kept).len() == MOST_KEPT && flow.seats.are_idle() && !lock(&flow.coded).has_room();
        let rested = (0..10_000_000).any(|_| {
            thread::yield_now();
            stuck()
        });
        // Let go before anything is said: the reader waits.
        let kept = std::iter::from_fn(|| flow.next_kept());
        let frames = kept.filter(|kept| matches!(kept, Kept::Notice(Notice::Frame(_), _))).count();
        assert!(rested, "they poked each other all the time");
        assert_eq!(frames, PICTURES as usize);
    });
}

#[test]
fn who_waits_for_room_is_let_go_when_a_stage_is_broken() {
    let (pool, source) = (Pool::start(1).unwrap(), source());
    let base = source.parameters().time_base;
    let open = |_: &_| -> Result<Box<dyn Decoder>, DecodeError> { panic!("as the test asked") };
    let look = LookStage::new(false, JpegEncoder::new(90).unwrap(), None, Vec::new(), None);
    let stages = (DecodeStage::new(Box::new(open), base, 0), look);
    let flow = Flow::new(seat(), pool.line().clone(), stages, false);
    read(source, &flow);
    assert_eq!(flow.failure(), Some(Trouble::bug()));
    assert!(std::iter::from_fn(|| flow.next_kept()).count() <= 1, "the run was told, at most");
}

#[test]
fn what_comes_out_of_a_decoder_at_once_is_not_dropped_for_that() {
    let (pool, source) = (Pool::start(1).unwrap(), source());
    let flow = flow(&pool, &source, true);
    // Nobody looks meanwhile.
    let _looking = lock(&flow.looking);
    let pictures = |n: usize| {
        let mut source = self::source();
        let mut decoding = DecodeStage::new(decoders(None), source.parameters().time_base, 0);
        let sampler = Sampler::new(SamplingPlan::All, source.parameters().time_base);
        let mut choosing = Choosing::new(source.parameters(), sampler);
        let mut items = Vec::new();
        while items.len() < n {
            choosing.push(source.next_unit().unwrap().unwrap(), |_unit| {});
            while let Some(step) = choosing.next_step() {
                let out = decoding.take(Coded::Step(step), now()).unwrap();
                items.extend(out.into_iter().filter(LookItem::is_picture));
            }
        }
        items.truncate(n);
        items
    };
    flow.show(pictures(1));
    flow.show(pictures(5));
    let dropped = || flow.seat.counters.counts().dropped_picture;
    // The first may be in its turn by now.
    assert!(dropped() <= 1, "{}", dropped());
    flow.show(pictures(1));
    assert!(dropped() >= 4, "the newest win: {}", dropped());
}
