use std::{path::Path, time::Duration};

use toml::Value;

use super::{ByteSize, Setting};

#[track_caller]
fn check<K: Setting + PartialEq + std::fmt::Debug>(text: &str, expected: Option<&K>) {
    let read = K::read(&K::from_text(text), Path::new(""));
    assert_eq!(read.as_ref().ok(), expected, "{text}: {read:?}");
    if let Ok(value) = read {
        let shown = value.shown().unwrap();
        assert_eq!(K::read(&shown, Path::new("")).ok().as_ref(), expected, "{text} shown as {shown}");
    }
}

#[test]
fn durations() {
    for (text, ms) in [
        ("10 s", 10_000),
        ("10s", 10_000),
        (" 1 h 30 min ", 5_400_000),
        ("1h30m", 5_400_000),
        ("0.5 s", 500),
        ("250 ms", 250),
        ("7 days", 604_800_000),
        ("0 s", 0),
    ] {
        check(text, Some(&Duration::from_millis(ms)));
    }
    for text in [
        "",
        "10",
        "s",
        "10 x",
        "-1 s",
        "1e3 s",
        "ten s",
        "0.0001 ms",
        "1 s,",
        "99999999999999999999 d",
        "1..5 s",
        ". s",
        "١ s",
    ] {
        check::<Duration>(text, None);
    }
    let long = "1 s ".repeat(1_000_000);
    check::<Duration>(&long, None);
    let error = Duration::read(&Value::Integer(10), Path::new("")).unwrap_err();
    assert!(error[0].says.contains("write \"10 s\""), "{error:?}");
}

#[test]
fn sizes() {
    for (text, bytes) in [
        ("2 GB", 2_000_000_000),
        ("2gb", 2_000_000_000),
        ("1.5 GiB", 3 << 29),
        ("512 MiB", 512 << 20),
        ("65536", 65_536),
        ("64 kB", 64_000),
        ("0", 0),
        ("1 byte", 1),
    ] {
        check(text, Some(&ByteSize(bytes)));
    }
    for text in
        ["", "2 G", "512M", "-1", "1.5", "0.5 B", "GB", "20000000 TB", "2 GB/s", "18446744073709551615"]
    {
        check::<ByteSize>(text, None);
    }
}

#[test]
fn shown_in_the_largest_whole_unit() {
    let shown = |ms| Duration::from_millis(ms).shown().unwrap().as_str().unwrap().to_owned();
    assert_eq!((shown(90_000), shown(86_400_000), shown(0)), ("90 s".into(), "1 d".into(), "0 ms".into()));
    assert_eq!(ByteSize(2_000_000_000).to_string(), "2 GB");
    assert_eq!(ByteSize(1 << 30).to_string(), "1 GiB");
}
