use proptest::prelude::*;

use super::*;
use crate::child::message::{Batch, Item, Opened, Request};

fn sent(head: &str, tail: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, &head, tail).unwrap();
    bytes
}

#[test]
fn what_is_written_is_read() {
    let bytes = [sent("one", &[b"ab", b"", b"cde"]), sent("two", &[])].concat();
    let mut from = &bytes[..];
    let (head, mut tail): (String, _) = read(&mut from).unwrap();
    assert_eq!(
        (head.as_str(), tail.take(2).unwrap(), tail.take(3).unwrap()),
        ("one", b"ab".to_vec(), b"cde".to_vec())
    );
    tail.end().unwrap();
    let (head, tail): (String, _) = read(&mut from).unwrap();
    assert_eq!(head, "two");
    tail.end().unwrap();
    assert!(from.is_empty());
}

/// What reading these bytes as such a message comes to.
fn kind<T: serde::de::DeserializeOwned>(bytes: &[u8], take: usize) -> Option<io::ErrorKind> {
    let mut from = bytes;
    let read = read::<T>(&mut from).and_then(|(_, mut tail)| tail.take(take).and_then(|_| tail.end()));
    read.err().map(|error| error.kind())
}

#[test]
fn lengths_are_checked_before_anything_is_taken() {
    use io::ErrorKind::{InvalidData, UnexpectedEof};
    let whole = sent("x", &[b"tail"]);
    let with = |at: usize, length: u32| {
        let mut bytes = whole.clone();
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    let cases = [
        (whole.clone(), 4, None),
        (whole.clone(), 5, Some(InvalidData)),
        (whole.clone(), 3, Some(InvalidData)),
        (with(0, u32::MAX), 0, Some(InvalidData)),
        (with(4, u32::MAX), 0, Some(InvalidData)),
        (with(0, MOST_HEAD), 0, Some(UnexpectedEof)),
        (with(4, MOST_TAIL), MOST_TAIL as usize, Some(UnexpectedEof)),
        (whole[..7].to_vec(), 0, Some(UnexpectedEof)),
        (Vec::new(), 0, Some(UnexpectedEof)),
    ];
    for (bytes, take, expected) in cases {
        assert_eq!(kind::<String>(&bytes, take), expected, "{bytes:?}");
    }
    assert_eq!(kind::<u32>(&whole, 4), Some(InvalidData));
}

proptest! {
    /// Of any bytes at all there is an end.
    #[test]
    fn nonsense_is_an_error_or_a_message(head in "\\PC{0,200}", junk in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = Vec::new();
        framed.extend((head.len() as u32).to_le_bytes());
        framed.extend((junk.len() as u32).to_le_bytes());
        framed.extend(head.bytes().chain(junk.iter().copied()));
        for bytes in [&framed, &junk] {
            kind::<Request>(bytes, 0);
            kind::<Opened>(bytes, 0);
            kind::<Batch>(bytes, 0);
            kind::<Item>(bytes, 0);
        }
    }
}
