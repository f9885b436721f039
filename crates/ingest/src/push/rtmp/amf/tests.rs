use super::*;

fn written(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        write(value, &mut out);
    }
    out
}

#[test]
fn what_is_written_is_read() {
    let values = [
        Value::text("connect"),
        Value::Number(1.0),
        Value::Object(vec![
            ("app".to_owned(), Value::text("live")),
            ("fpad".to_owned(), Value::Boolean(false)),
            ("list".to_owned(), Value::Array(vec![Value::text("hvc1"), Value::Null])),
            ("deep".to_owned(), Value::Object(vec![("x".to_owned(), Value::Number(-0.5))])),
        ]),
        Value::Null,
    ];
    assert_eq!(read(&written(&values)).unwrap(), values);
}

#[test]
fn every_kind_is_read() {
    // From the specification, by hand.
    let ecma = b"\x08\x00\x00\x00\x00\x00\x05width\x00\x40\x94\x00\x00\x00\x00\x00\x00\x00\x00\x09";
    let read_ecma = read(ecma).unwrap();
    assert_eq!(read_ecma[0].get("width").and_then(Value::as_count), Some(1280));
    let unended = &ecma[..ecma.len() - 3];
    assert_eq!(read(unended).unwrap(), read_ecma, "without the mark of its end");
    let cases: [(&[u8], Value); 8] = [
        (b"\x0c\x00\x00\x00\x02hi", Value::text("hi")),
        (b"\x0f\x00\x00\x00\x02hi", Value::Null),
        (b"\x06", Value::Null),
        (b"\x07\x00\x01", Value::Null),
        (b"\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", Value::Null),
        (
            b"\x10\x00\x01C\x00\x01a\x01\x01\x00\x00\x09",
            Value::Object(vec![("a".to_owned(), Value::Boolean(true))]),
        ),
        (b"\x02\x00\x02\xff\xfe", Value::text("\u{fffd}\u{fffd}")),
        // A property without a name is one all the same.
        (b"\x03\x00\x00\x05\x00\x00\x09", Value::Object(vec![(String::new(), Value::Null)])),
    ];
    for (bytes, value) in cases {
        assert_eq!(read(bytes).unwrap(), [value], "{bytes:?}");
    }
}

#[test]
fn bytes_that_are_no_values_are_refused() {
    let cases: [(&[u8], AmfError); 6] = [
        (b"\x00\x01", AmfError::Short),
        (b"\x02\x00\x09abc", AmfError::Short),
        (b"\x0c\xff\xff\xff\xff", AmfError::Short),
        (b"\x0a\xff\xff\xff\xff", AmfError::Short),
        (b"\x11\x04", AmfError::Kind(17)),
        (b"\x09", AmfError::Kind(9)),
    ];
    for (bytes, error) in cases {
        assert_eq!(read(bytes), Err(error), "{bytes:?}");
    }
    let nested = b"\x03\x00\x01a".repeat(DEEPEST + 1);
    assert_eq!(read(&nested), Err(AmfError::Deep));
    assert_eq!(read(&b"\x0a\x00\x00\x00\x01".repeat(60_000)), Err(AmfError::Deep));
    assert_eq!(read(&[5; MOST_VALUES + 1]), Err(AmfError::Many));
    let mut many = vec![10, 0xff, 0xff, 0xff, 0xff];
    many.extend([5; MOST_VALUES]);
    assert_eq!(read(&many), Err(AmfError::Many));
    assert_eq!(read(&[5; MOST_VALUES]).map(|values| values.len()), Ok(MOST_VALUES));
}

#[test]
fn numbers_that_count_nothing_are_none() {
    for number in [f64::NAN, f64::INFINITY, -1.0, 1e12] {
        assert_eq!(Value::Number(number).as_count(), None, "{number}");
    }
    assert_eq!(Value::Number(719.7).as_count(), Some(720));
    assert_eq!(Value::text("720").as_count(), None);
}
