//! Multipart forms, as they come.

use std::{fmt::Display, sync::Arc};

use axum::{
    extract::{
        FromRequest as _, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{StatusCode, header},
};
use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::{EXPECTED, Expected, Form, LONGEST_VALUE, MOST_AROUND, MOST_PARTS, too_long, too_many_parts};
use crate::{
    failure::Failure,
    pipeline::{
        pieces::{Meter, metered},
        upload::{Receiving, Upload},
    },
    state::Shared,
};

/// Bytes that are read and thrown away after a refusal: clients that send all before they listen hear of it.
const LINGER_BYTES: u64 = 16 << 20;
/// A slower upload is ended once it has lasted longer than the longest pause: a few such would take all places.
const SLOWEST_BYTES_PER_SECOND: u64 = 1024;

/// Limits of one form, and how far it has come.
struct Pace<'a> {
    shared: &'a Shared,
    meter: Arc<Meter>,
    began: Instant,
    most_file: u64,
}

pub(super) async fn read(shared: &Shared, request: Request, expected: Expected<'_>) -> Result<Form, Failure> {
    let most_file = if expected.file.is_some() { shared.state.settings.most_upload_bytes } else { 0 };
    let _place = shared.uploads.try_acquire().map_err(|_full| {
        let detail = "as many uploads are received as the configuration allows; try again soon";
        Failure::new(StatusCode::TOO_MANY_REQUESTS, "Too many uploads", detail)
    })?;
    let most = most_file.saturating_add(MOST_AROUND).saturating_add(LINGER_BYTES);
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let meter = Meter::new(most);
    let pace = Pace { shared, meter, began: Instant::now(), most_file };
    if length.is_some_and(|length| length > most) {
        return Err(pace.over());
    }
    let request = request.map(|body| metered(body, Arc::clone(&pace.meter)));
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Failure::malformed(format!("{EXPECTED}; {rejection}")))?;
    let form = pace.all(&mut parts, expected).await;
    if form.is_err() {
        pace.linger(&mut parts).await;
    }
    form
}

impl Pace<'_> {
    async fn all(&self, parts: &mut Multipart, expected: Expected<'_>) -> Result<Form, Failure> {
        let mut form = Form::default();
        for _part in 0..=MOST_PARTS {
            let Some(mut field) = self.within(parts.next_field()).await? else { return Ok(form) };
            let Some(name) = field.name().map(str::to_owned) else {
                return Err(Failure::malformed("a part of the form has no name"));
            };
            if expected.file == Some(name.as_str()) {
                if form.file.is_some() {
                    return Err(Failure::invalid(format!("the form holds `{name}` twice; send one")));
                }
                form.file = self.file(&mut field).await?;
            } else {
                let misnamed = expected.file.filter(|_| is_file(&field));
                let value = self.text(&mut field).await;
                let value = value.map_err(|failure| misnamed.map_or(failure, |file| sent_as(&name, file)))?;
                form.take(name, value, expected)?;
            }
        }
        Err(too_many_parts())
    }

    /// What the parser has next, unless the client is too slow or sends too much.
    async fn within<T>(
        &self,
        next: impl Future<Output = Result<Option<T>, MultipartError>>,
    ) -> Result<Option<T>, Failure> {
        self.meter.parsed();
        let idle = self.shared.state.settings.upload_idle;
        let next = timeout(idle, next).await.map_err(|_elapsed| slow())?;
        if self.meter.come() > self.most_file.saturating_add(MOST_AROUND) {
            return Err(self.over());
        }
        let lasted = self.began.elapsed();
        if lasted > idle && self.meter.come() < lasted.as_secs().saturating_mul(SLOWEST_BYTES_PER_SECOND) {
            return Err(slow());
        }
        next.map_err(|error| broken(error.body_text()))
    }

    async fn chunk(&self, field: &mut Field<'_>) -> Result<Option<Bytes>, Failure> {
        self.within(field.chunk()).await
    }

    async fn text(&self, field: &mut Field<'_>) -> Result<String, Failure> {
        let mut value = Vec::new();
        while let Some(chunk) = self.chunk(field).await? {
            value.extend_from_slice(&chunk);
            if value.len() > LONGEST_VALUE {
                return Err(too_long());
            }
        }
        String::from_utf8(value).map_err(|_error| Failure::invalid("a field is not UTF-8"))
    }

    /// The file, unless it stands for one that was not chosen: browsers send such without a name and without content.
    async fn file(&self, field: &mut Field<'_>) -> Result<Option<Upload>, Failure> {
        let name = field.file_name().unwrap_or_default().to_owned();
        let mut receiving = None;
        let mut bytes = 0;
        while let Some(chunk) = self.chunk(field).await? {
            if chunk.is_empty() {
                continue;
            }
            bytes += chunk.len() as u64;
            if bytes > self.most_file {
                return Err(self.over());
            }
            let open = match &mut receiving {
                Some(open) => open,
                None => receiving.insert(Receiving::begin(self.shared, &name)?),
            };
            open.take(&chunk).await?;
        }
        match receiving {
            Some(receiving) => receiving.end().await.map(Some),
            None if name.is_empty() => Ok(None),
            None => Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not a video", "the file is empty")),
        }
    }

    /// Takes some of what the client still sends, within the time of one pause.
    async fn linger(&self, parts: &mut Multipart) {
        let until = self.meter.come().saturating_add(LINGER_BYTES);
        let rest = async {
            while self.meter.come() < until {
                self.meter.parsed();
                let Ok(Some(mut field)) = parts.next_field().await else { return };
                while self.meter.come() < until {
                    self.meter.parsed();
                    let Ok(Some(_)) = field.chunk().await else { break };
                }
            }
        };
        if timeout(self.shared.state.settings.upload_idle, rest).await.is_err() {
            tracing::debug!("a client was still sending what had been refused");
        }
    }

    fn over(&self) -> Failure {
        Failure::too_large(format!("an upload has at most {} bytes", self.most_file))
    }
}

/// Whether a part is a file that was chosen.
fn is_file(field: &Field<'_>) -> bool {
    field.file_name().is_some_and(|name| !name.is_empty())
}

fn sent_as(name: &str, file: &str) -> Failure {
    Failure::invalid(format!("the form has a file `{name:.64}`, which is not expected; send it as `{file}`"))
}

fn slow() -> Failure {
    let detail = "the upload was too slow, or stood still, and was ended";
    Failure::new(StatusCode::REQUEST_TIMEOUT, "Too slow", detail)
}

fn broken(why: impl Display) -> Failure {
    Failure::malformed(format!("the form is broken or ends early: {why}"))
}
