//! What a stream's thread gives its units to.

mod again;
mod segment;
mod state;

use std::sync::Arc;

use bytes::Bytes;
use ocelli_media::{
    AccessUnit, AudioParameters, AudioUnit, CodecParameters,
    cmaf::{self, CmafError},
};
use ocelli_model::TimeBase;

use crate::{
    ArchiveError,
    archive::Shared,
    cutting::Begins,
    lane::{Job, Lane, Missed, Part},
    lengths::Lengths,
    live::{Init, LivePart},
    object::init_name,
    run::{Cut, Pictures, Run, Step},
    sound::Sound,
};

use self::again::Again;
use self::segment::{Segment, Shown, begin, live_segment};
pub use self::state::{Phase, RecorderState};

/// Sound is kept from so long before the first picture on.
const SOUND_AHEAD: f64 = 0.5;

/// Records one stream. Called on the stream's thread, and never waits for the disk. Dropped, it ends the run.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    lane: Arc<Lane>,
    lengths: Lengths,
    /// Number of the next segment.
    next: u64,
    /// Counts parts.
    sequence: u32,
    run: Option<Run>,
    segment: Option<Segment>,
    sound: Sound,
    /// Sound that no part can hold.
    refused: Option<Arc<AudioParameters>>,
    init: Option<Described>,
    /// Ordinal of a run that cannot be recorded.
    failed: Option<u32>,
    /// What comes was recorded before, in part.
    again: Option<Again>,
    /// The disk is behind, and gets nothing up to the next segment that there is room for.
    behind: bool,
    /// Some segment began with a keyframe.
    keyframes: bool,
}

/// An initialisation segment and what it describes.
#[derive(Clone, Debug)]
struct Described {
    video: Arc<CodecParameters>,
    sound: Option<Arc<AudioParameters>>,
    init: Arc<Init>,
}

impl Recorder {
    pub(crate) fn new(shared: Arc<Shared>, lane: Arc<Lane>, next: u64) -> Self {
        let before = lane.lengths().take();
        Self {
            lengths: before.unwrap_or_else(|| Lengths::new(&shared.config)),
            shared,
            lane,
            next,
            sequence: 0,
            run: None,
            segment: None,
            sound: Sound::default(),
            refused: None,
            init: None,
            failed: None,
            again: None,
            behind: false,
            keyframes: false,
        }
    }

    /// What follows is a source that is read again from its start, as runs from `first_run` on: what is recorded of them is skipped, and the
    /// recording goes on behind it. Blocks.
    pub fn go_on(&mut self, first_run: u32) -> Result<(), ArchiveError> {
        self.again = Again::of(&self.shared, &self.lane.stream, first_run)?;
        Ok(())
    }

    /// Waits until the disk has taken most of what was given, for sources that can wait: nothing of theirs is left out because it comes faster
    /// than the disk works. A minute at most.
    pub fn wait_for_room(&self) {
        self.lane.queue.wait_for_room();
    }

    /// The next picture in decode order. `run` is the ordinal of its run: another one ends the run before. `keyframe`: decoding can
    /// start here, also at a recovery point. `reorder_depth`: how many pictures may come before one and be shown after it.
    pub fn unit(&mut self, run: u32, unit: &AccessUnit, keyframe: bool, reorder_depth: u32, arrived_ms: i64) {
        if self.again.as_mut().is_some_and(|again| again.has(run, unit.pts)) {
            return;
        }
        self.lane.state().units += 1;
        if self.run.as_ref().is_some_and(|current| !current.goes_on_with(run, unit)) {
            self.end_run();
        }
        if self.failed.is_some_and(|failed| failed == run) {
            self.lane.state().left_out += 1;
            return;
        }
        self.failed = None;
        if let Err(error) = self.take(run, unit, keyframe, reorder_depth, arrived_ms) {
            self.fail(run, unit.pts, arrived_ms, &error);
        }
    }

    fn take(
        &mut self,
        ordinal: u32,
        unit: &AccessUnit,
        keyframe: bool,
        depth: u32,
        arrived_ms: i64,
    ) -> Result<(), CmafError> {
        let set_ms = self.shared.clock.set_ms();
        // On the clock that nobody sets: within a run its steps are those of the media.
        let steady_ms = arrived_ms.saturating_sub(set_ms);
        let goes_on = self.again.as_ref().is_some_and(Again::goes_on);
        let patience = if goes_on { 0 } else { self.shared.config.longest_segment.as_millis() };
        let patience = i64::try_from(patience).unwrap_or(i64::MAX);
        if self.run.is_none() {
            self.run = Some(Run::new(ordinal, unit)?);
        }
        let Some(run) = &mut self.run else { return Ok(()) };
        // Those of the part that closes: a unit with other parameters begins the next one.
        let described = run.parameters().cloned();
        match run.push(unit, keyframe, depth, steady_ms, patience, &self.lengths)? {
            Step::Taken => {}
            Step::LeftOut => self.lane.state().left_out += 1,
            Step::Cut(cuts) => {
                let base = run.base;
                for cut in cuts {
                    self.cut(&cut, described.as_ref(), (ordinal, base), set_ms)?;
                }
            }
        }
        Ok(())
    }

    /// A part or a segment begins; `described` is what there was before.
    fn cut(
        &mut self,
        cut: &Cut,
        described: Option<&Arc<CodecParameters>>,
        (run, base): (u32, TimeBase),
        set_ms: i64,
    ) -> Result<(), CmafError> {
        if let (Some(pictures), Some(described)) = (&cut.closes, described) {
            self.part(described, run, pictures)?;
        }
        if cut.begins == Begins::Segment {
            self.end_segment(base, true);
            if self.segment.is_none() && self.init.is_none() {
                self.sound.from(base.seconds(cut.pts) - SOUND_AHEAD);
            }
            let (number, began_ms) = (self.next, cut.steady_ms.saturating_add(set_ms));
            let keyframe = cut.keyframe;
            self.segment = Some(Segment { number, began_ms, set_ms, keyframe, shown: None });
            self.next += 1;
        }
        Ok(())
    }

    /// For how many ticks after the last unit nothing that follows ends a part, keyframes and new parameters apart: so long a source may keep
    /// what it has.
    pub fn rest(&self) -> i64 {
        self.run.as_ref().map_or(0, |run| run.rest(&self.lengths))
    }

    /// What the source codes in this way, by libavcodec's name, is encoded anew before it comes here.
    pub fn encoded(&self, codec: &str) {
        self.lane.window().encoded(codec);
    }

    /// A picture came of which nothing can be recorded.
    pub fn leave_out(&mut self) {
        let mut state = self.lane.state();
        state.units += 1;
        state.left_out += 1;
    }

    /// Sound that these parameters describe will come: its track is there from the first part on, however late the first block is.
    pub fn expect_audio(&mut self, parameters: &Arc<AudioParameters>) {
        self.sound.expect(parameters);
    }

    /// A block of sound came of which nothing can be recorded.
    pub fn leave_out_audio(&mut self) {
        self.sound.leave_out();
        let mut state = self.lane.state();
        state.sounds += 1;
        state.sounds_left_out = self.sound.left_out();
    }

    /// The next block of sound of the run that goes on.
    pub fn audio(&mut self, unit: AudioUnit) {
        if self.again.as_ref().is_some_and(|again| again.has_sound(unit.pts)) {
            return;
        }
        self.sound.push(unit);
        let mut state = self.lane.state();
        state.sounds += 1;
        state.sounds_left_out = self.sound.left_out();
    }

    /// The connection is over: what there is becomes a segment.
    pub fn end_run(&mut self) {
        let Some(mut run) = self.run.take() else { return };
        self.sound.end();
        if let (Some(pictures), Some(described)) = (run.end(), run.parameters().cloned())
            && let Err(error) = self.part(&described, run.ordinal, &pictures)
        {
            tracing::error!(stream = %self.lane.stream, %error, "the end of a run could not be recorded");
        }
        self.end_segment(run.base, false);
        self.sound.clear();
        self.init = None;
    }

    /// How it goes.
    pub fn state(&self) -> RecorderState {
        self.lane.state().clone()
    }

    /// Pictures and the sound beside them become a part, for players at once and for the disk when it can.
    fn part(&mut self, video: &Arc<CodecParameters>, run: u32, pictures: &Pictures) -> Result<(), CmafError> {
        let Some(mut segment) = self.segment.take() else { return Ok(()) };
        let made = self.make(video, run, pictures, &mut segment);
        self.segment = Some(segment);
        made
    }

    fn make(
        &mut self,
        video: &Arc<CodecParameters>,
        run: u32,
        pictures: &Pictures,
        segment: &mut Segment,
    ) -> Result<(), CmafError> {
        // Sound comes and goes with keyframes: players throw away pictures after other tracks up to one.
        let changes = segment.shown.is_none() && (segment.keyframe || !self.keyframes);
        let described = self.describe(video, changes)?;
        let sound = match &segment.shown {
            Some(shown) => shown.sound.clone(),
            None => described.sound.clone(),
        };
        let blocks = self.sound.take(sound.as_ref());
        let base = video.time_base;
        let sound_base = sound.as_ref().map_or(base, |sound| sound.time_base);
        let bytes = cmaf::part(self.sequence, (&pictures.samples, base), (&blocks, sound_base))?;
        self.sequence = self.sequence.wrapping_add(1);
        self.lengths.part_closed(pictures.ticks, base);
        let begins = segment.shown.is_none();
        let kept = match &segment.shown {
            Some(shown) => shown.kept,
            None => self.may_keep(segment.keyframe),
        };
        let shown = segment.shown.get_or_insert(Shown {
            sound,
            first_pts: pictures.first_pts,
            end_pts: pictures.end_pts,
            ticks: 0,
            kept,
        });
        shown.first_pts = shown.first_pts.min(pictures.first_pts);
        shown.end_pts = shown.end_pts.max(pictures.end_pts);
        shown.ticks += pictures.ticks;
        if begins {
            let live = live_segment(segment.number, run, segment, pictures, video, &described.init);
            self.promise();
            self.lane.window().begin(live, !kept);
            if kept {
                let begin = begin(run, segment, pictures, video, described.init);
                self.lane.queue.put(Job::Begin(begin));
            }
        }
        self.show(segment, &bytes, pictures, base);
        self.keep(segment, run, bytes, pictures);
        Ok(())
    }

    fn show(&self, segment: &Segment, bytes: &Bytes, pictures: &Pictures, base: TimeBase) {
        let Some(shown) = &segment.shown else { return };
        let part = LivePart {
            bytes: bytes.clone(),
            first_pts: pictures.first_pts,
            ticks: pictures.ticks,
            stated: self.lengths.stated(pictures.ticks, base),
            keyframe: pictures.samples.first().is_some_and(|sample| sample.keyframe),
        };
        self.lane.window().grow(part, shown.first_pts, shown.end_pts);
    }

    fn keep(&mut self, segment: &mut Segment, run: u32, bytes: Bytes, pictures: &Pictures) {
        let Some(shown) = segment.shown.as_mut().filter(|shown| shown.kept) else { return };
        let (first_pts, arrived_ms) = (pictures.first_pts, pictures.steady_ms.saturating_add(segment.set_ms));
        let part = Part { bytes, first_pts, end_pts: pictures.end_pts, arrived_ms };
        if self.lane.queue.part(part).is_err() {
            shown.kept = false;
            self.behind = true;
            self.lane.window().missed(segment.number);
            let reason = "the disk is too slow".to_owned();
            self.lane.phase(Phase::Paused(reason.clone()));
            let missed = Missed { run, first_pts, began_ms: arrived_ms, reason, for_good: false };
            self.lane.queue.put(Job::Missed(missed));
        }
    }

    /// Whether a segment goes to the disk.
    fn may_keep(&mut self, keyframe: bool) -> bool {
        self.keyframes |= keyframe;
        if self.behind && (keyframe || !self.keyframes) && self.lane.queue.has_room() {
            self.behind = false;
        }
        !self.behind
    }

    /// `another` follows, so that its length says what may be promised of all. Players are told before it can be sealed, for then it is
    /// listed.
    fn end_segment(&mut self, base: TimeBase, another: bool) {
        let Some(shown) = self.segment.take().and_then(|segment| segment.shown) else { return };
        if another {
            self.lengths.segment_closed(shown.ticks, base);
            self.promise();
        } else {
            self.lengths.segment_ended(shown.ticks, base);
        }
        if shown.kept {
            self.lane.queue.put(Job::End);
        }
    }

    fn promise(&self) {
        self.lane.window().promise(self.lengths.target_seconds(), self.lengths.part_target_ms());
    }

    /// What the next part needs; sound that cannot be recorded is left out. `changes`: there may be other sound than so far.
    fn describe(&mut self, video: &Arc<CodecParameters>, changes: bool) -> Result<Described, CmafError> {
        let refused = |sound: &&Arc<AudioParameters>| {
            !self.refused.as_ref().is_some_and(|refused| Arc::ptr_eq(refused, sound))
        };
        let sound = self.sound.parameters().filter(refused).cloned();
        if let Some(known) = &self.init {
            let same_sound = match (&known.sound, &sound) {
                (Some(known), Some(sound)) => Arc::ptr_eq(known, sound),
                (None, None) => true,
                _ => false,
            };
            if Arc::ptr_eq(&known.video, video) && (same_sound || !changes) {
                return Ok(known.clone());
            }
        }
        let (made, sound) = match cmaf::init(video, sound.as_deref()) {
            // Pictures are recorded whatever is wrong with their sound.
            Err(error) if sound.is_some() => {
                tracing::warn!(stream = %self.lane.stream, %error, "recording goes without sound");
                self.refused = sound;
                (cmaf::init(video, None)?, None)
            }
            made => (made?, sound),
        };
        let name = init_name(&made.bytes);
        let cmaf::InitSegment { bytes, codecs, width, height } = made;
        let init = Arc::new(Init { name, bytes, codecs, width, height });
        let described = Described { video: Arc::clone(video), sound, init };
        self.init = Some(described.clone());
        Ok(described)
    }

    /// The rest of the run is not recorded.
    fn fail(&mut self, run: u32, pts: i64, arrived_ms: i64, error: &CmafError) {
        // In this order in the queue: what there was is sealed first.
        self.end_run();
        self.failed = Some(run);
        self.lane.state().left_out += 1;
        let missed =
            Missed { run, first_pts: pts, began_ms: arrived_ms, reason: error.to_string(), for_good: true };
        self.lane.queue.put(Job::Missed(missed));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end_run();
        *self.lane.lengths() = Some(self.lengths.clone());
        self.lane.window().end();
        self.shared.leave(&self.lane.stream, self.next);
    }
}
