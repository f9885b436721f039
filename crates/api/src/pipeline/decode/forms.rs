//! What the routes of decoding take and answer.

use ocelli_engine::StreamState;
use ocelli_model::StreamId;
use serde::Serialize;
use utoipa::ToSchema;

/// A form that begins a decode. One of `file` and `url` is given; fields that are empty count as left out, others than
/// these are ignored.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents a form that is read field by field")]
pub(super) struct DecodeForm {
    /// Name of the camera: 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with `.` or `-`.
    camera_id: String,
    /// A video.
    #[schema(value_type = Option<String>, format = Binary)]
    file: Option<Vec<u8>>,
    /// A file inside the configured folders, or `rtsp://` and the like.
    url: Option<String>,
    /// Frames per second of media time: 1 if left out, fractions allowed.
    fps: Option<f64>,
    /// Hardware that decodes: what the server is configured for if left out.
    force_format: Option<ForceFormat>,
}

/// Hardware that decodes.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "documents words that are read elsewhere")]
enum ForceFormat {
    Cuda,
    Qsv,
    Vaapi,
    None,
}

/// A form that names a camera.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents a form that is read field by field")]
pub(super) struct StopForm {
    camera_id: String,
}

/// A decode has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::pipeline) struct Started {
    /// `Decoding started`
    pub(super) message: &'static str,
    #[schema(value_type = String)]
    pub(super) camera_id: StreamId,
    /// Where frames appear.
    pub(super) output_folder: String,
    /// `started`
    pub(super) status: &'static str,
}

/// A decode has ended.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::pipeline) struct Stopped {
    pub(super) message: &'static str,
    #[schema(value_type = String)]
    pub(super) camera_id: StreamId,
    /// The final status.
    #[schema(value_type = String, example = "stopped")]
    pub(super) status: StreamState,
}
