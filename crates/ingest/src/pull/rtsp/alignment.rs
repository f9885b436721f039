//! Sound on the timeline of the pictures: their RTP clocks begin at random, each at its own.

use crate::WallAnchor;

/// Further off than this, in ns, lips and words no longer match (ITU-R BT.1359-1): only then is sound moved.
const NOTICED: i128 = 40_000_000;
/// Beyond it clocks do not belong together, whatever they say: what arrives side by side was made about then.
const BELIEVED: i128 = 5_000_000_000;
/// How exactly two reports of one sender agree about the time between them, in ns, unless its clock was set meanwhile:
/// some are made carelessly.
const SET: i128 = 200_000_000;
const SECOND: i128 = 1_000_000_000;

/// Finds where sound belongs. Sender reports decide once there are some of both streams (RFC 3550 section 6.4.1); before,
/// sound begins where the newest picture was when it arrived. Time is in ticks of each stream, never of a clock here.
#[derive(Debug)]
pub(super) struct Alignment {
    /// Ticks a second.
    picture_clock: i128,
    sound_clock: i128,
    pictures: Option<WallAnchor>,
    sound: Option<WallAnchor>,
    /// Added to the sound's own times.
    offset: Option<i64>,
    newest: Option<i64>,
}

impl Alignment {
    pub(super) fn new(picture_clock: u32, sound_clock: u32) -> Self {
        Self {
            picture_clock: picture_clock.into(),
            sound_clock: sound_clock.into(),
            pictures: None,
            sound: None,
            offset: None,
            newest: None,
        }
    }

    /// A report of the pictures' clock.
    pub(super) fn picture_report(&mut self, report: WallAnchor) {
        if is_set(self.pictures, report, self.picture_clock) {
            self.sound = None;
        }
        self.pictures = Some(report);
    }

    /// A report of the sound's clock.
    pub(super) fn sound_report(&mut self, report: WallAnchor) {
        if is_set(self.sound, report, self.sound_clock) {
            self.pictures = None;
        }
        self.sound = Some(report);
    }

    /// The PTS of sound that arrived after a picture of this PTS; `None` for sound that was moved into what was before.
    pub(super) fn pts(&mut self, own: i64, picture: i64) -> Option<i64> {
        let arrived = i128::from(picture) * self.sound_clock / self.picture_clock - i128::from(own);
        let reported = self.reported().filter(|offset| self.ns(offset - arrived) <= BELIEVED);
        let offset = match (self.offset.map(i128::from), reported) {
            (Some(kept), Some(reported)) if self.ns(reported - kept) > NOTICED => reported,
            // Without reports, for as long as it is believable at all.
            (Some(kept), None) if self.ns(arrived - kept) > BELIEVED => arrived,
            (Some(kept), _) => kept,
            (None, reported) => reported.unwrap_or(arrived),
        };
        self.offset = Some(i64::try_from(offset).ok()?);
        let pts = i64::try_from(i128::from(own) + offset).ok()?;
        if self.newest.is_some_and(|newest| pts <= newest) && !self.steps_back(pts) {
            return None;
        }
        self.newest = Some(pts);
        Some(pts)
    }

    /// Time itself went back, not only the sound in it.
    fn steps_back(&self, pts: i64) -> bool {
        self.newest.is_some_and(|newest| self.ns(i128::from(newest) - i128::from(pts)) > BELIEVED)
    }

    /// What the reports of both say, to the nearest tick.
    fn reported(&self) -> Option<i128> {
        let (pictures, sound) = (self.pictures?, self.sound?);
        // In units of 1 s / (10^9 * picture_clock), so that nothing is rounded twice.
        let apart = (i128::from(sound.unix_ns) - i128::from(pictures.unix_ns)) * self.picture_clock;
        let seconds = i128::from(pictures.pts) * SECOND + apart;
        let (ticks, unit) = (seconds * self.sound_clock, SECOND * self.picture_clock);
        Some((ticks + unit / 2).div_euclid(unit) - i128::from(sound.pts))
    }

    /// A distance in ticks of the sound, without its sign.
    fn ns(&self, ticks: i128) -> i128 {
        ticks.abs() * SECOND / self.sound_clock
    }
}

/// Whether the sender's clock was set between two reports: what others said of it before is void.
fn is_set(before: Option<WallAnchor>, report: WallAnchor, clock: i128) -> bool {
    before.is_some_and(|before| {
        let told = i128::from(report.unix_ns) - i128::from(before.unix_ns);
        let ticks = i128::from(report.pts) - i128::from(before.pts);
        (told - ticks * SECOND / clock).abs() > SET
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    fn report(pts: i64, unix_ns: i64) -> WallAnchor {
        WallAnchor { pts, unix_ns }
    }

    /// 90 kHz and 48 kHz.
    fn alignment() -> Alignment {
        Alignment::new(90_000, 48_000)
    }

    #[test]
    fn sound_begins_at_the_picture_before_it_and_goes_on_exactly() {
        let mut alignment = alignment();
        assert_eq!(alignment.pts(7, 900_000), Some(480_000));
        // However unsteadily pictures come.
        for (n, picture) in (1..50).zip([900_000, 990_000, 903_000].into_iter().cycle()) {
            assert_eq!(alignment.pts(7 + n * 1024, picture), Some(480_000 + n * 1024));
        }
    }

    #[test]
    fn reports_of_both_put_it_right_to_the_tick() {
        let mut alignment = alignment();
        assert_eq!(alignment.pts(1000, 900_000), Some(480_000));
        alignment.picture_report(report(945_000, 100 * S));
        assert_eq!(alignment.pts(2024, 903_000), Some(481_024), "one alone says nothing");
        // At 100 s pictures were at 10.5 s; sound was at 10 000 ticks half a second later: 11 s.
        alignment.sound_report(report(10_000, 100 * S + S / 2));
        assert_eq!(alignment.pts(10_000, 990_000), Some(11 * 48_000));
        assert_eq!(alignment.pts(11_024, 990_000), Some(11 * 48_000 + 1024));
    }

    #[test]
    fn it_is_not_moved_for_less_than_is_noticed() {
        let mut alignment = alignment();
        alignment.picture_report(report(0, 0));
        alignment.sound_report(report(0, 0));
        assert_eq!(alignment.pts(0, 0), Some(0));
        for n in 1..100 {
            // A clock that is 10 ppm fast, and reports of it: 1 ms of drift in all.
            alignment.picture_report(report(n * 90_000, n * S));
            alignment.sound_report(report(n * 48_000, n * S + n * 10_000));
            assert_eq!(alignment.pts(n * 48_000, n * 90_000), Some(n * 48_000));
        }
    }

    #[test]
    fn sound_that_is_moved_back_never_repeats_time() {
        let mut alignment = alignment();
        assert_eq!(alignment.pts(0, 90_000), Some(48_000));
        // It belongs a second earlier.
        alignment.picture_report(report(90_000, S));
        alignment.sound_report(report(48_000, S));
        let seen: Vec<_> = (1..60).filter_map(|n| alignment.pts(n * 1024, 90_000 + n * 1920)).collect();
        assert!(seen[0] > 48_000 && seen[0] <= 48_000 + 1024, "{seen:?}");
        assert!(seen.windows(2).all(|pair| pair[1] - pair[0] == 1024), "{seen:?}");
        assert!(seen.iter().all(|pts| pts % 1024 == 0), "where the reports put it");
    }

    #[test]
    fn a_clock_that_is_set_moves_nothing() {
        let mut alignment = alignment();
        alignment.picture_report(report(0, 0));
        alignment.sound_report(report(0, 0));
        assert_eq!(alignment.pts(0, 0), Some(0));
        // Two seconds are skipped between the reports of one and the other.
        alignment.picture_report(report(90_000, 3 * S));
        assert_eq!(alignment.pts(48_000, 90_000), Some(48_000));
        alignment.sound_report(report(96_000, 4 * S));
        assert_eq!(alignment.pts(96_000, 180_000), Some(96_000));
    }

    #[test]
    fn clocks_that_do_not_belong_together_are_not_believed() {
        let mut alignment = alignment();
        alignment.picture_report(report(0, 1_700_000_000 * S));
        alignment.sound_report(report(0, 5 * S));
        assert_eq!(alignment.pts(480, 90_000), Some(48_000));
    }

    #[test]
    fn no_numbers_overflow() {
        for extreme in [i64::MIN, i64::MAX] {
            let mut alignment = alignment();
            alignment.picture_report(report(extreme, extreme));
            alignment.sound_report(report(!extreme, !extreme));
            alignment.picture_report(report(!extreme, !extreme));
            alignment.pts(extreme, !extreme);
            alignment.pts(extreme, extreme);
        }
    }
}
