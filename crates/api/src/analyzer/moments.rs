//! When the pictures of a run were captured.

use ocelli_model::{StreamId, TimeBase};
use ocelli_store::{AnchorOrigin, RunFilter, RunId, RunRecord, WallAnchor};

use crate::{failure::Failure, state::Shared};

/// What is known of the wall time of a run.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    base: TimeBase,
    began_ms: i64,
    /// In order of media time.
    anchors: Vec<WallAnchor>,
}

impl Moments {
    pub(super) async fn of(shared: &Shared, run: &RunRecord) -> Result<Self, Failure> {
        let mut anchors = shared.state.streams.anchors(run.id).await?;
        anchors.sort_unstable();
        // The sender's clock knows better than the arrival here.
        if anchors.iter().any(|anchor| anchor.origin == AnchorOrigin::SenderReport) {
            anchors.retain(|anchor| anchor.origin == AnchorOrigin::SenderReport);
        }
        Ok(Self { base: run.run.time_base, began_ms: run.run.began_ms, anchors })
    }

    /// Of a run by its key; `None` where it is gone.
    pub(super) async fn of_run(
        shared: &Shared,
        stream: &StreamId,
        run: RunId,
    ) -> Result<Option<Self>, Failure> {
        let filter =
            RunFilter { run: Some(run), source_key: Some(stream.to_string()), ..RunFilter::default() };
        match shared.state.results.runs(&filter).await?.pop() {
            Some(record) => Self::of(shared, &record).await.map(Some),
            None => Ok(None),
        }
    }

    /// When the picture of this PTS was captured, in milliseconds since 1970: by the last anchor before it, or the first.
    pub(super) fn captured_ms(&self, pts: i64) -> Option<i64> {
        let after = self.anchors.partition_point(|anchor| anchor.pts <= pts);
        let anchor = self.anchors.get(after.saturating_sub(1))?;
        let since = self.base.seconds(pts.saturating_sub(anchor.pts)) * 1e9;
        Some(anchor.unix_ns.saturating_add(since.round() as i64).div_euclid(1_000_000))
    }

    /// When its run began.
    pub(super) fn began_ms(&self) -> i64 {
        self.began_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_dated_by_the_anchor_before_them() {
        let anchor = |pts, unix_ms: i64| WallAnchor {
            pts,
            unix_ns: unix_ms * 1_000_000,
            origin: AnchorOrigin::SenderReport,
        };
        let anchors = vec![anchor(90_000, 5_000), anchor(900_000, 1_000_000)];
        let moments = Moments { base: TimeBase::new(1, 90_000).unwrap(), began_ms: 7, anchors };
        let check = |pts, expected| assert_eq!(moments.captured_ms(pts), Some(expected), "{pts}");
        check(0, 4_000);
        check(90_000, 5_000);
        check(135_000, 5_500);
        check(899_999, 13_999);
        check(900_000, 1_000_000);
        check(990_000, 1_001_000);
        assert_eq!(Moments { anchors: Vec::new(), ..moments }.captured_ms(0), None);
    }
}
