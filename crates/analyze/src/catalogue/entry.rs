//! What is known about a model.

use serde::{Deserialize, Serialize};

use crate::detector::Labels;

/// How outputs are turned into boxes; fixes preprocessing as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Picture stretched to the tensor, RGB, -1 to 1; scores (sigmoid applied) and boxes in fractions.
    Ssd,
    /// Picture letterboxed top left on grey 114, BGR, 0 to 255; grids at strides 8, 16 and 32, not decoded.
    Yolox,
}

/// Who brings the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `./dev setup` fetches it.
    Setup,
    /// The user downloads it from its publisher into the models folder.
    Publisher,
    /// `ocelli models add` put it there.
    Added,
}

/// One known model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// Word on the command line.
    pub id: String,
    /// Name of its file in the models folder.
    pub file: String,
    /// SHA-256 in hexadecimal digits; converters may write the same model in more than one way.
    pub sha256: Vec<String>,
    /// How its outputs are read.
    pub family: Family,
    /// What its class columns mean.
    pub labels: Labels,
    /// Who brings the file.
    pub origin: Origin,
    /// SPDX identifier, or what the user wrote.
    pub licence: String,
    /// One line for people.
    pub description: String,
}

/// The model used when none is named.
pub const DEFAULT_MODEL: &str = "ssdlite-mobilenet-v2";

/// The models this build knows, the default first.
pub(crate) fn built_in() -> Vec<ModelEntry> {
    let sha256 = |digests: &[&str]| digests.iter().map(|digest| (*digest).to_owned()).collect();
    vec![
        ModelEntry {
            id: DEFAULT_MODEL.to_owned(),
            file: "ssdlite_mobilenet_v2_coco.onnx".to_owned(),
            sha256: sha256(&[
                "25ead98207c9afde8218535c41a672332ef73549e596acb68e59a89d5f936ab5",
                "1a63abded26474059d29fb508d6653de54300088b1c96a91cf61fbf800aab9b0",
            ]),
            family: Family::Ssd,
            labels: Labels::coco90(),
            origin: Origin::Setup,
            licence: "Apache-2.0".to_owned(),
            description: "everyday objects (COCO), 300x300 pixels, fast".to_owned(),
        },
        ModelEntry {
            id: "yolox-nano".to_owned(),
            file: "yolox_nano.onnx".to_owned(),
            sha256: sha256(&["695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14"]),
            family: Family::Yolox,
            labels: Labels::coco80(),
            origin: Origin::Publisher,
            licence: "Apache-2.0".to_owned(),
            description: "everyday objects (COCO), 416x416 pixels, finds smaller ones".to_owned(),
        },
    ]
}
