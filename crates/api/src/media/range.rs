//! Range requests (RFC 9110, section 14).

use std::ops::Range;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

/// Which bytes of a whole are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Whole,
    Part(Range<u64>),
    /// None of it is there.
    Nothing,
}

/// What a request asks for of so many bytes. One range is served; several, or other units, are answered with the whole, which a
/// server may always do.
pub(super) fn asked(headers: &HeaderMap, length: u64) -> Sent {
    let mut values = headers.get_all(header::RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Sent::Whole };
    // Nothing of ours changes under its name, but nobody was given a validator to compare.
    if headers.contains_key(header::IF_RANGE) {
        return Sent::Whole;
    }
    let value = value.to_str().ok().and_then(|word| word.trim().split_once('='));
    let spec = value.filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes")).map(|(_, spec)| spec.trim());
    let Some((first, last)) = spec.and_then(|spec| spec.split_once('-')) else { return Sent::Whole };
    let range = match (number(first), number(last)) {
        (Bound::At(first), Bound::At(last)) if last < first => return Sent::Whole,
        (Bound::At(first), Bound::At(last)) => first..last.saturating_add(1).min(length),
        (Bound::At(first), Bound::Open) => first..length,
        // The last so many bytes.
        (Bound::Open, Bound::At(count)) => length.saturating_sub(count)..length,
        _ => return Sent::Whole,
    };
    if range.is_empty() { Sent::Nothing } else { Sent::Part(range) }
}

/// One end of a range.
enum Bound {
    Open,
    At(u64),
    Nonsense,
}

fn number(word: &str) -> Bound {
    let word = word.trim();
    if word.is_empty() {
        return Bound::Open;
    }
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    if digits { Bound::At(word.parse().unwrap_or(u64::MAX)) } else { Bound::Nonsense }
}

impl Sent {
    /// The status, the bytes, and the fields that say which they are.
    pub(super) fn head(self, length: u64) -> (StatusCode, Range<u64>, HeaderMap) {
        let mut fields = HeaderMap::new();
        let text = |text: String| HeaderValue::try_from(text).expect("digits and punctuation");
        fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let (status, range) = match self {
            Self::Whole => (StatusCode::OK, 0..length),
            Self::Part(range) => {
                let named = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                fields.insert(header::CONTENT_RANGE, text(named));
                (StatusCode::PARTIAL_CONTENT, range)
            }
            Self::Nothing => {
                fields.insert(header::CONTENT_RANGE, text(format!("bytes */{length}")));
                (StatusCode::RANGE_NOT_SATISFIABLE, 0..0)
            }
        };
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        (status, range, fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let check = |value: &str, length: u64, expected: Sent| {
            let headers = HeaderMap::from_iter([(header::RANGE, value.parse().unwrap())]);
            assert_eq!(asked(&headers, length), expected, "{value:?} of {length}");
        };
        check("bytes=0-0", 10, Sent::Part(0..1));
        check("bytes=2-5", 10, Sent::Part(2..6));
        check("Bytes = 2 - 5 ", 10, Sent::Whole);
        check("BYTES=2-", 10, Sent::Part(2..10));
        check("bytes=2-99", 10, Sent::Part(2..10));
        check("bytes=2-99999999999999999999", 10, Sent::Part(2..10));
        check("bytes=-3", 10, Sent::Part(7..10));
        check("bytes=-30", 10, Sent::Part(0..10));
        check("bytes=-0", 10, Sent::Nothing);
        check("bytes=10-", 10, Sent::Nothing);
        check("bytes=99999999999999999999-", 10, Sent::Nothing);
        check("bytes=0-", 0, Sent::Nothing);
        for whole in
            ["bytes=5-2", "bytes=-", "bytes=", "bytes", "lines=1-2", "bytes=1-2,4-5", "bytes=a-b", ""]
        {
            check(whole, 10, Sent::Whole);
        }
    }

    #[test]
    fn answers_say_which_bytes_they_are() {
        let check = |sent: Sent, status: u16, bytes: Range<u64>, range: Option<&str>| {
            let (found, sent, fields) = sent.head(10);
            assert_eq!((found.as_u16(), sent), (status, bytes));
            assert_eq!(fields.get(header::CONTENT_RANGE).map(|value| value.to_str().unwrap()), range);
        };
        check(Sent::Whole, 200, 0..10, None);
        check(Sent::Part(2..6), 206, 2..6, Some("bytes 2-5/10"));
        check(Sent::Nothing, 416, 0..0, Some("bytes */10"));
    }
}
