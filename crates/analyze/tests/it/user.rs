//! Models that users bring: taken in after a trial, refused without a trace.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use ocelli_analyze::{
    Analyzer as _, DetectorConfig,
    catalogue::{AddError, Added, Adding, Catalogue, Family, NewModel, remove},
    detector::Labels,
    load,
    runtime::{Precision, RuntimeName},
};
use ocelli_media::pixel::{Matrix, OwnedPicture, Range};
use ocelli_model::Detection;
use ocelli_testkit::onnx::{Onnx, Size};

use crate::inputs::{UPSTREAM, home, runtime_folder, skips};

/// A data directory with the real runtimes and no models.
pub(crate) fn own_home() -> Option<tempfile::TempDir> {
    if skips(&RuntimeName::ALL.map(runtime_folder)) {
        return None;
    }
    let own = tempfile::tempdir().unwrap();
    symlink(home().join("runtimes"), own.path().join("runtimes")).unwrap();
    Some(own)
}

fn model(family: Family, labels: &str) -> NewModel {
    let labels = Labels::parse(labels.as_bytes()).unwrap();
    NewModel { family, labels, licence: "MIT".to_owned(), description: String::new(), sha256: None }
}

fn add(home: &Path, id: &str, replace: bool, bytes: &[u8], model: &NewModel) -> Result<Added, AddError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given.onnx");
    fs::write(&path, bytes).unwrap();
    let mut adding = Adding::begin(home, id, replace)?;
    adding.copy(&path)?;
    adding.keep(model)
}

fn files(home: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(home.join("models")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn look(home: &Path, id: &str, runtime: RuntimeName, precision: Option<Precision>) -> Vec<Detection> {
    let config = DetectorConfig {
        model: Some(id.to_owned()),
        runtime: Some(runtime),
        precision,
        ..DetectorConfig::default()
    };
    let picture = OwnedPicture::black(64, 64, Range::Full, Matrix::Bt601);
    let mut detector = load(&config, home, UPSTREAM).unwrap().detector().unwrap();
    detector.analyze(&picture.as_picture()).unwrap()
}

fn shown(found: &[Detection]) -> Vec<(&str, [f32; 4])> {
    let row = |one: &Detection| {
        [one.bbox.x, one.bbox.y, one.bbox.width, one.bbox.height].map(|v| (v * 64.0).round())
    };
    found.iter().map(|one| (&*one.label, row(one))).collect()
}

/// Cell 9 of 64 x 64 pixels: second row, second column, 8 pixels wide.
const CELL: [f32; 8] = [0.5, 0.5, 0.0, 0.0, 0.9, 0.1, 0.95, 0.2];

#[test]
fn other_sizes_and_labels_work_on_both_runtimes() {
    let Some(own) = own_home() else { return };
    let home = own.path();
    let yolox = Onnx::yolox(64, 3, &[(9, &CELL)]).bytes();
    let added = add(home, "my-yolox", false, &yolox, &model(Family::Yolox, "Cat\nRed Panda\nDog")).unwrap();
    assert_eq!(
        (added.tried.width, added.tried.height, added.tried.runtime.name),
        (64, 64, RuntimeName::OpenVino)
    );
    let ssd = Onnx::ssd(96, &[(&[0.1, 0.7], [0.25, 0.5, 0.75, 1.0]), (&[0.0, 0.0], [0.0; 4])]).bytes();
    add(home, "my-ssd", false, &ssd, &model(Family::Ssd, "n/a\nowl")).unwrap();
    for runtime in RuntimeName::ALL {
        let found = look(home, "my-yolox", runtime, Some(Precision::F32));
        assert_eq!(shown(&found), [("Red Panda", [8.0, 8.0, 8.0, 8.0])], "{runtime}");
        let found = look(home, "my-ssd", runtime, Some(Precision::F32));
        assert_eq!(shown(&found), [("owl", [32.0, 16.0, 32.0, 32.0])], "{runtime}");
    }
    let listed = Catalogue::open(home).unwrap();
    listed.find("my-ssd").unwrap();
    assert_eq!(
        listed.list().iter().map(|(entry, _)| entry.id.as_str()).collect::<Vec<_>>()[2..],
        ["my-ssd", "my-yolox"]
    );
    remove(home, "my-ssd").unwrap();
    remove(home, "my-yolox").unwrap();
    assert!(matches!(remove(home, "my-ssd"), Err(AddError::Unknown(_))));
    let left: Vec<_> = files(home).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(left, ["models.json", "models.lock.json"]);
}

#[test]
fn labels_and_bytes_of_a_users_model_are_part_of_the_version() {
    let Some(own) = own_home() else { return };
    let home = own.path();
    let version = |labels: &str, bytes: &[u8]| {
        add(home, "mine", true, bytes, &model(Family::Yolox, labels)).unwrap();
        let config = DetectorConfig { model: Some("mine".to_owned()), ..DetectorConfig::default() };
        load(&config, home, UPSTREAM).unwrap().version().to_string()
    };
    let (one, other) = (Onnx::yolox(32, 2, &[]).bytes(), Onnx::yolox(64, 2, &[]).bytes());
    let first = version("cat\ndog", &one);
    assert_ne!(version("dog\ncat", &one), first);
    assert_ne!(version("cat\ndog", &other), first);
    assert_eq!(version("cat\ndog", &one), first);
    let models = files(home).iter().filter(|path| path.extension().is_some_and(|end| end == "onnx")).count();
    assert_eq!(models, 1, "what was replaced is gone: {:?}", files(home));
}

#[test]
fn values_that_are_no_boxes_are_no_detections() {
    let Some(own) = own_home() else { return };
    let home = own.path();
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let row = |place: [f32; 4], objectness| [place[0], place[1], place[2], place[3], objectness, 1.0];
    let rows = [
        row([nan, 0.5, 0.0, 0.0], 0.9),
        row([0.5, 0.5, nan, 0.0], 0.9),
        row([0.5, 0.5, 0.0, 0.0], nan),
        row([0.5, 0.5, 1e30, 1e30], 0.9),
        row([1e30, -1e30, 0.0, 0.0], 0.9),
        row([0.5, 0.5, -1e30, -1e30], 0.9),
        row([inf, -inf, 0.0, 0.0], 0.9),
        row([0.5, 0.5, 0.0, 0.0], inf),
        row([-20.0, -20.0, 0.0, 0.0], 0.9),
        row([0.5, 0.5, 20.0, 20.0], 0.9),
    ];
    let found: Vec<(usize, &[f32])> = rows.iter().enumerate().map(|(at, row)| (at, &row[..])).collect();
    let yolox = Onnx::yolox(64, 1, &found).bytes();
    let error = add(home, "bad", false, &yolox, &model(Family::Yolox, "cat")).unwrap_err();
    assert!(chain(&error).contains("no finite numbers"), "{}", chain(&error));
    // What the trial cannot see comes with the second picture, so the catalogue is forged here.
    add(home, "bad", false, &Onnx::yolox(64, 1, &[]).bytes(), &model(Family::Yolox, "cat")).unwrap();
    forge(home, "bad", &yolox);
    let whole = ("cat", [0.0, 0.0, 64.0, 64.0]);
    for runtime in RuntimeName::ALL {
        let found = look(home, "bad", runtime, Some(Precision::F32));
        assert_eq!(shown(&found), [whole], "{runtime}: only the one that covers everything");
    }
    let scores = [[nan; 1], [0.9], [0.9], [0.9], [1e30], [0.9]];
    let places = [
        [0.0, 0.0, 1.0, 1.0],
        [nan, 0.0, 1.0, 1.0],
        [0.5, 0.5, 0.1, 0.1],
        [-inf, 0.0, inf, 1.0],
        [-1e30, -1e30, 1e30, 1e30],
        [2.0, 2.0, 3.0, 3.0],
    ];
    let anchors: Vec<(&[f32], [f32; 4])> =
        scores.iter().zip(places).map(|(score, place)| (&score[..], place)).collect();
    add(home, "bad-ssd", false, &Onnx::ssd(32, &[(&[0.0], [0.0; 4])]).bytes(), &model(Family::Ssd, "cat"))
        .unwrap();
    forge(home, "bad-ssd", &Onnx::ssd(32, &anchors).bytes());
    for runtime in RuntimeName::ALL {
        let found = look(home, "bad-ssd", runtime, Some(Precision::F32));
        assert_eq!((shown(&found), found[0].confidence), (vec![whole], 1.0), "{runtime}");
    }
}

/// Puts another file in the place of a model that was added.
fn forge(home: &Path, id: &str, bytes: &[u8]) {
    use sha2::{Digest as _, Sha256};
    let file = Catalogue::open(home).unwrap().find(id).unwrap();
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|value| char::from_digit(value.into(), 16).unwrap());
    let sha256: String = Sha256::digest(bytes).iter().flat_map(digits).collect();
    let list = home.join("models/models.json");
    fs::write(&list, fs::read_to_string(&list).unwrap().replace(&file.sha256, &sha256)).unwrap();
    fs::write(home.join(format!("models/{id}.{}.onnx", &sha256[..12])), bytes).unwrap();
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Adding must fail with these words and leave the folder as it was.
#[track_caller]
fn refused(home: &Path, bytes: &[u8], model: &NewModel, words: &[&str]) {
    let before = files(home);
    let error = chain(&add(home, "new", false, bytes, model).unwrap_err());
    assert!(words.iter().all(|word| error.contains(word)), "{words:?} in {error}");
    assert_eq!(files(home), before);
}

#[test]
fn models_that_do_not_fit_are_refused_without_a_trace() {
    let Some(own) = own_home() else { return };
    let home = own.path();
    let good = Onnx::yolox(64, 2, &[]);
    add(home, "good", false, &good.bytes(), &model(Family::Yolox, "cat\ndog")).unwrap();
    let yolox = model(Family::Yolox, "cat\ndog");
    let with_input = |input: &[Size]| Onnx { input: input.to_vec(), ..good.clone() }.bytes();
    let with_shape = |shape: &[usize]| {
        let mut other = good.clone();
        other.outputs[0].values = vec![0.0; shape.iter().product()];
        other.outputs[0].shape = shape.to_vec();
        other.bytes()
    };
    let bytes = good.bytes();
    refused(home, b"", &yolox, &["empty"]);
    refused(home, b"not a model", &yolox, &["cannot read the model"]);
    refused(home, &[0xff; 4096], &yolox, &["cannot read the model"]);
    refused(home, &bytes[..bytes.len() / 2], &yolox, &["cannot read the model"]);
    refused(home, &bytes, &model(Family::Yolox, "cat"), &["2 classes", "1 labels"]);
    refused(home, &bytes, &model(Family::Yolox, "cat\ndog\nowl"), &["2 classes", "3 labels"]);
    refused(home, &bytes, &model(Family::Ssd, "cat\ndog"), &["no output \"scores\""]);
    let fixed = |sizes: [usize; 4]| with_input(&sizes.map(Size::Fixed));
    refused(home, &fixed([1, 1, 64, 64]), &yolox, &["1 x 3 x height x width"]);
    refused(home, &fixed([2, 3, 64, 64]), &yolox, &["1 x 3 x height x width"]);
    refused(home, &fixed([1, 3, 64, 65]), &yolox, &["multiples of 32"]);
    refused(home, &fixed([1, 3, 96, 96]), &yolox, &["has the shape", "189"]);
    refused(
        home,
        &with_input(&[Size::Fixed(1), Size::Fixed(3), Size::Open("h"), Size::Open("w")]),
        &yolox,
        &["no fixed shape"],
    );
    refused(home, &with_shape(&[1, 83, 7]), &yolox, &["has the shape"]);
    refused(home, &with_shape(&[84, 7]), &yolox, &["has the shape"]);
    refused(home, &with_shape(&[1, 84, 5]), &yolox, &["has the shape"]);
    let nowhere = Onnx { outputs: Vec::new(), ..good.clone() }.bytes();
    assert!(add(home, "new", false, &nowhere, &yolox).is_err());
    let two = Onnx {
        outputs: [good.outputs.clone(), Onnx::ssd(64, &[(&[0.0], [0.0; 4])]).outputs].concat(),
        ..good.clone()
    };
    refused(home, &two.bytes(), &yolox, &["3 outputs"]);
    let mut ssd = Onnx::ssd(64, &[(&[0.0, 0.0], [0.0; 4]), (&[0.0, 0.0], [0.0; 4])]);
    ssd.outputs[1].shape = vec![1, 1, 1, 8];
    refused(home, &ssd.bytes(), &model(Family::Ssd, "cat\ndog"), &["boxes", "has the shape"]);
    let wrong = NewModel { sha256: Some("0".repeat(64)), ..yolox.clone() };
    refused(home, &bytes, &wrong, &["has sha256", "not 0000"]);
    refused(
        home,
        &bytes,
        &NewModel { sha256: Some("12".to_owned()), ..yolox.clone() },
        &["64 hexadecimal digits"],
    );
    refused(home, &bytes, &NewModel { licence: "a\nb".to_owned(), ..yolox.clone() }, &["one line"]);
    // Nothing of this touched the one that was there, and it is not replaced unasked.
    let found = Catalogue::open(home).unwrap().find("good").unwrap();
    assert!(matches!(add(home, "good", false, &bytes, &yolox), Err(AddError::Taken(_))));
    assert!(add(home, "good", true, b"bad", &yolox).is_err());
    assert_eq!(Catalogue::open(home).unwrap().find("good").unwrap().sha256, found.sha256);
    for id in ["Bad", "../x", "yolox-nano"] {
        assert!(matches!(Adding::begin(home, id, true), Err(AddError::Entry(_))), "{id}");
    }
}

#[test]
fn the_files_of_others_are_left_alone() {
    let Some(own) = own_home() else { return };
    let home = own.path();
    let yolox = model(Family::Yolox, "cat");
    let adding = Adding::begin(home, "new", false).unwrap();
    assert!(matches!(Adding::begin(home, "new", false), Err(AddError::Busy(_))));
    assert_eq!(files(home).len(), 1, "the first one's");
    drop(adding);
    assert_eq!(files(home).len(), 0);
    let mut adding = Adding::begin(home, "new", false).unwrap();
    for (path, word) in
        [(home.to_owned(), "not a file"), ("/dev/zero".into(), "not a file"), (home.join("none"), "No such")]
    {
        let error = chain(&adding.copy(&path).unwrap_err());
        assert!(error.contains(word), "{error}");
    }
    drop(adding);
    // What a killed process left is taken over.
    for name in [".new.part.onnx", ".other.part.onnx"] {
        fs::write(home.join("models").join(name), vec![7; 100_000]).unwrap();
    }
    add(home, "new", false, &Onnx::yolox(32, 1, &[]).bytes(), &yolox).unwrap();
    assert_eq!(files(home).len(), 3, "model, catalogue, lock file");
    // A list that cannot be read is not written over, and the model not known.
    let list = home.join("models/models.json");
    fs::write(&list, "{").unwrap();
    let before = files(home);
    assert!(matches!(
        add(home, "more", false, &Onnx::yolox(32, 1, &[]).bytes(), &yolox),
        Err(AddError::Catalogue(_))
    ));
    assert_eq!((files(home), fs::read_to_string(&list).unwrap()), (before, "{".to_owned()));
}
