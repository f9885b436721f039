//! Forms of contract 1: a few short fields, and at most one file, which goes to disk as it comes.

mod multipart;

use std::collections::BTreeMap;

use axum::{
    Form as UrlEncoded,
    body::Body,
    extract::{FromRequest as _, Request},
    http::{Request as Http, header},
};

use super::upload::Upload;
use crate::{
    extract::{media_type, whole},
    failure::Failure,
    state::Shared,
};

/// Most bytes of a form without a file, and of what stands around a file.
const MOST_AROUND: u64 = 1 << 20;
/// Longest name and value of a field.
const LONGEST_VALUE: usize = 4096;
/// Most fields.
const MOST_PARTS: usize = 32;

const EXPECTED: &str = "send a form: multipart/form-data or application/x-www-form-urlencoded";

/// A form that was read to its end.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: BTreeMap<String, String>,
    pub(crate) file: Option<Upload>,
}

/// What is expected of a form.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The field that may hold a file.
    pub(crate) file: Option<&'static str>,
    /// Called with each field as soon as it is read, so that a refusal need not wait for a file to come.
    pub(crate) check: &'a (dyn Fn(&str, &str) -> Result<(), Failure> + Sync),
}

impl Form {
    /// The value of a field; one that is empty counts as left out.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Reads a form of either kind.
    pub(crate) async fn read(
        shared: &Shared,
        request: Request,
        expected: Expected<'_>,
    ) -> Result<Self, Failure> {
        match media_type(request.headers()) {
            Some(kind) if kind.eq_ignore_ascii_case("multipart/form-data") => {
                multipart::read(shared, request, expected).await
            }
            Some(kind) if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") => {
                Self::url_encoded(request, expected).await
            }
            _ => Err(Failure::malformed(EXPECTED)),
        }
    }

    async fn url_encoded(request: Request, expected: Expected<'_>) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = whole(request, MOST_AROUND as usize).await?;
        let mut again = Http::post("/").body(Body::from(bytes)).expect("a method and a path");
        again.headers_mut().extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
        let UrlEncoded(pairs) = UrlEncoded::<Vec<(String, String)>>::from_request(again, &())
            .await
            .map_err(|rejection| Failure::malformed(format!("the form cannot be read: {rejection}")))?;
        if pairs.len() > MOST_PARTS {
            return Err(too_many_parts());
        }
        let mut form = Self::default();
        for (name, value) in pairs {
            form.take(name, value, expected)?;
        }
        Ok(form)
    }

    fn take(&mut self, name: String, value: String, expected: Expected<'_>) -> Result<(), Failure> {
        if expected.file == Some(name.as_str()) && !value.is_empty() {
            return Err(Failure::invalid(format!("send `{name}` as a file of a multipart form")));
        }
        if value.len() > LONGEST_VALUE || name.len() > LONGEST_VALUE {
            return Err(too_long());
        }
        if self.fields.contains_key(&name) {
            return Err(Failure::invalid("the form names a field twice; name each once"));
        }
        (expected.check)(&name, &value)?;
        self.fields.insert(name, value);
        Ok(())
    }
}

fn too_many_parts() -> Failure {
    Failure::invalid(format!("the form has more than {MOST_PARTS} fields"))
}

fn too_long() -> Failure {
    Failure::invalid(format!("a field is longer than {LONGEST_VALUE} bytes"))
}
