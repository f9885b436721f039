//! Values of AMF 0, nested anyhow: what is read stays within its bounds, and is written and read again as it was.
//!
//! Input: bytes of a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocelli_ingest::push::rtmp::amf::{Value, read, write};

/// Values within, itself included, and levels.
fn extent(value: &Value) -> (usize, usize) {
    let inner: Vec<_> = match value {
        Value::Object(properties) => properties.iter().map(|(_, value)| extent(value)).collect(),
        Value::Array(values) => values.iter().map(extent).collect(),
        _ => Vec::new(),
    };
    let count = inner.iter().map(|(count, _)| count).sum::<usize>();
    (count + 1, inner.iter().map(|(_, depth)| *depth).max().unwrap_or(0) + 1)
}

/// Texts that fit, and objects that do not end where they name nothing: what can be written.
fn is_writable(value: &Value) -> bool {
    const MOST: usize = u16::MAX as usize;
    match value {
        Value::String(text) => text.len() <= MOST,
        Value::Object(properties) => {
            properties.iter().all(|(name, value)| name.len() <= MOST && is_writable(value))
        }
        Value::Array(values) => values.iter().all(is_writable),
        _ => true,
    }
}

/// As values compare, but a number that is none is itself.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.to_bits() == b.to_bits(),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(values) = read(data) else { return };
    let (count, depth) = values.iter().map(extent).fold((0, 0), |(sum, deepest), (count, depth)| {
        (sum + count, deepest.max(depth))
    });
    assert!(count <= 1024 && depth <= 8, "{count} values, {depth} deep");
    let mut written = Vec::new();
    values.iter().for_each(|value| write(value, &mut written));
    for value in &values {
        // Neither panics on anything.
        let (_text, _count) = (value.as_text(), value.as_count());
        if let Value::Object(properties) = value {
            assert!(properties.iter().all(|(name, _)| value.get(name).is_some()));
        }
    }
    if values.iter().all(is_writable) {
        let again = read(&written).expect("what was written can be read");
        assert!(again.len() == values.len() && again.iter().zip(&values).all(|(a, b)| same(a, b)), "the same again");
    }
});
