use super::*;

#[test]
fn names_are_read_as_they_are_written() {
    for name in RuntimeName::ALL {
        assert_eq!(name.as_str().parse(), Ok(name));
        assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
    }
    for word in ["", "OpenVINO", "ONNXRUNTIME", "onnx", "openvino "] {
        let error = word.parse::<RuntimeName>().unwrap_err().to_string();
        assert!(error.contains("onnxruntime") && error.contains(&format!("{word:?}")), "{error}");
    }
}

#[test]
fn shapes_without_end_or_sense_are_refused() {
    assert_eq!(checked_shape("x", &[1, 3, 300, 300]).unwrap(), [1, 3, 300, 300]);
    let cases: [(&[i64], &str); 6] = [
        (&[1, 3, -1, 300], "no fixed shape"),
        (&[i64::MIN], "no fixed shape"),
        (&[1, 0, 4], "no values"),
        (&[1, 3, 1 << 20, 1 << 20], "too many values"),
        (&[i64::MAX, i64::MAX, i64::MAX], "too many values"),
        (&[MAX_ELEMENTS as i64 + 1], "too many values"),
    ];
    for (dimensions, why) in cases {
        let error = checked_shape("its input", dimensions).unwrap_err().to_string();
        assert!(error.contains("its input") && error.contains(why), "{dimensions:?}: {error}");
    }
}
