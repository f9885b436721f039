//! Multipart forms, byte by byte.

use axum::{
    body::Body,
    http::{Request, header},
};

pub(crate) const BOUNDARY: &str = "----boundary7MA4YWxk";

pub(crate) fn text(name: &str, value: &str) -> Vec<u8> {
    format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}").into_bytes()
}

pub(crate) fn file(name: &str, file: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: video/mp4\r\n\r\n"
    );
    [head.as_bytes(), bytes].concat()
}

/// The parts with boundaries around them.
pub(crate) fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        body.extend_from_slice(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub(crate) fn request(path: &str, body: impl Into<Body>) -> Request<Body> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    Request::post(path).header(header::CONTENT_TYPE, kind).body(body.into()).unwrap()
}
