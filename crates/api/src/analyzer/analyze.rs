//! An analysis that is asked for.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use ocelli_model::StreamId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    recorded::segment,
    sessions::{Sessions, Stretch},
    stored::{Question, newest},
};
use crate::{
    access::Caller,
    extract::{Named, whole},
    failure::{Failure, Refused},
    state::Shared,
};

const MOST_BYTES: usize = 4096;
/// Analyses of a segment that are counted: at 30 a second, those of half a minute.
const MOST_COUNTED: usize = 1000;

/// What is to be analysed.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct AnalyzeAsked {
    /// A segment as the playlist names it, such as `7.m4s`; the newest if left out. A body may be left out.
    #[serde(default)]
    #[schema(max_length = 2048)]
    segment_path: Option<String>,
}

/// An analysis was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Triggered {
    /// `Analysis triggered`
    message: &'static str,
    /// The segment, as the playlist names it; null of a stream that is not recorded.
    segment: Option<String>,
    /// `asked`: the next picture is looked at, whether anything moves or not. `kept`: none comes, or the segment is not the newest;
    /// what was seen in it when it came in is what there is.
    look: Look,
    /// Analyses of the segment so far, counted up to 1000.
    analyses: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AnalyzeLook)]
enum Look {
    Asked,
    Kept,
}

/// Asks for an analysis
///
/// Pictures are looked at as they come in, so that a recorded segment has its analyses already (`/api/streams/{stream_key}/analysis/`).
/// Of the newest segment this has the next picture looked at as well, where the stream is going.
#[utoipa::path(post, path = "/api/streaming/streams/{stream_key}/analyze/", operation_id = "trigger_analysis", tag = "media analyzer",
    params(("stream_key" = String, Path, description = "Its key")),
    request_body(content = AnalyzeAsked, example = json!({})),
    responses((status = 200, description = "It was asked for", body = Triggered)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:stream_key"))))]
pub(super) async fn analyze(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    named: Result<Named, Failure>,
    request: Request,
) -> Result<Json<Triggered>, Refused> {
    let Named(id) = named?;
    let engine = &shared.state.engine;
    engine.status(&id)?;
    let asked = read(request).await?.segment_path;
    let number = asked.as_deref().map(|path| number(&id, path)).transpose()?;
    let newest_segment = segment(&shared, &id, None).await?;
    let found = match number {
        None => newest_segment,
        Some(_) => Some(segment(&shared, &id, number).await?.ok_or_else(|| none(&id, asked.as_deref()))?),
    };
    // Of a stream that is not recorded, a frame will do.
    if found.is_none() && newest(&shared, &id).await?.is_none() && engine.latest(&id).await?.is_none() {
        return Err(none(&id, None).into());
    }
    let is_newest = found == newest_segment;
    let look = if is_newest && engine.look(&id)? { Look::Asked } else { Look::Kept };
    let analyses = match found {
        None => 0,
        Some(segment) => {
            let (first, end) = segment.pts;
            let stretch = Stretch {
                after: Some((segment.run, first.saturating_sub(1))),
                until: Some((segment.run, end.saturating_sub(1))),
            };
            let question = Question { stream: &id, stretch, start: None, limit: MOST_COUNTED };
            question.answer(&shared, &Sessions::default()).await?.analyses.len()
        }
    };
    tracing::info!(stream = %id, caller = caller.name(), ?look, "analysis asked for");
    let segment = found.map(|segment| format!("{id}/{}.m4s", segment.number));
    Ok(Json(Triggered { message: "Analysis triggered", segment, look, analyses }))
}

async fn read(request: Request) -> Result<AnalyzeAsked, Failure> {
    let bytes = whole(request, MOST_BYTES).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(AnalyzeAsked::default());
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::malformed(format!("the body is not valid: {error}")))
}

/// The number of a segment: `7.m4s`, whatever stands before it ending in the stream's key.
fn number(id: &StreamId, path: &str) -> Result<u64, Failure> {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let number = name.strip_suffix(".m4s").and_then(|number| number.parse().ok());
    let is_ours = parts.next().is_none_or(|folder| folder == id.as_str());
    number.filter(|_| is_ours).ok_or_else(|| none(id, Some(path)))
}

fn none(id: &StreamId, path: Option<&str>) -> Failure {
    let detail = match path {
        None => format!("stream {id} has no segment and no frame yet"),
        Some(path) => format!("stream {id} has no segment {path:.100}; its playlist lists those it has"),
    };
    Failure::missing("No segment", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_as_in_the_playlist() {
        let id: StreamId = "cam1".parse().unwrap();
        let check =
            |path: &str, expected: Option<u64>| assert_eq!(number(&id, path).ok(), expected, "{path}");
        check("7.m4s", Some(7));
        check("cam1/7.m4s", Some(7));
        check("/streaming/cam1/18446744073709551615.m4s", Some(u64::MAX));
        for none in [
            "",
            "7",
            "7.ts",
            "cam2/7.m4s",
            "7.m4s/",
            "-1.m4s",
            "../../etc/passwd",
            "18446744073709551616.m4s",
        ] {
            check(none, None);
        }
    }
}
