//! Words and identities.

use std::collections::BTreeSet;

use super::*;

#[test]
fn words_read_back_and_others_are_refused() {
    for (acceleration, word) in Acceleration::ALL.into_iter().zip(["cuda", "qsv", "vaapi"]) {
        assert_eq!(acceleration.to_string(), word);
        assert_eq!(word.parse(), Ok(acceleration));
    }
    for word in ["", "CUDA", "nvdec", "auto", "none", "vaapi "] {
        let error = word.parse::<Acceleration>().unwrap_err();
        assert!(error.to_string().contains(&format!("'{word}'")), "{error}");
    }
}

#[test]
fn software_keeps_its_identity_and_each_hardware_has_its_own() {
    assert_eq!(decoder_identity(None), codec_library_version());
    let kinds = Acceleration::ALL.into_iter().map(Some).chain([None]);
    assert_eq!(kinds.map(decoder_identity).collect::<BTreeSet<_>>().len(), 4);
}
