//! What every backend does alike. `suite!` runs all of it for one.

pub(crate) mod entries;
pub(crate) mod gaps;
pub(crate) mod identities;
pub(crate) mod queries;
pub(crate) mod refused;
pub(crate) mod retention;
pub(crate) mod segments;
pub(crate) mod streams;
pub(crate) mod tracks;

/// A test for each case.
macro_rules! suite {
    ($name:ident, $backend:ty) => {
        $crate::conformance::suite!(@cases $name, $backend,
            identities: [asked_twice, a_run_keeps_its_clock, runs_are_found, analyzers_are_kept, runs_end, a_live_run_may_end_unclean];
            entries: [due_is_counted_once, an_analysis_reads_back, plans_share_results, pictures_are_exact, lines_are_told, what_is_missing_is_told];
            gaps: [a_gap_is_filled, a_final_verdict_stays];
            tracks: [tracks_follow_results, results_in_between_void_tracks, order_is_kept];
            queries: [frames_by_page, detections_by_page];
            refused: [nothing_of_a_bad_batch_is_written, bad_values];
            streams: [streams_are_kept, bad_streams, ordinals_go_on, anchors_are_added];
            retention: [closed_runs_go, open_runs_keep_whole_windows, what_went_stays_away, tracks_that_go_on_keep_their_beginning, plans_keep_what_others_share, many_small_steps];
            segments: [segments_are_kept, segments_are_found, numbers_are_never_given_twice, what_is_pinned_stays_so, what_recordings_take, gaps_are_told, bad_segments]);
    };
    (@cases $name:ident, $backend:ty, $($module:ident: [$($case:ident),*]);*) => {
        mod $name {
            $(mod $module { $(
                #[tokio::test]
                async fn $case() {
                    let backend = <$backend as $crate::backend::Backend>::new();
                    $crate::conformance::$module::$case(&backend).await;
                }
            )* })*
        }
    };
}
pub(crate) use suite;
