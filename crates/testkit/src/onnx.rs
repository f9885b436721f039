//! Tiny ONNX models, written byte by byte: what they yield is what the test says, whatever the picture.

/// Size of a dimension: fixed, or left open under a name.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// This many.
    Fixed(usize),
    /// Known only when the model runs.
    Open(&'static str),
}

/// One output and what it always holds.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// Dimensions, outermost first.
    pub shape: Vec<usize>,
    /// As many values as the dimensions say.
    pub values: Vec<f32>,
}

/// A model with one input, `images`.
#[derive(Clone, Debug)]
pub struct Onnx {
    /// Dimensions of the input.
    pub input: Vec<Size>,
    /// Its outputs.
    pub outputs: Vec<Output>,
}

impl Onnx {
    /// The tensors of a YOLOX of `side` x `side` pixels; silent but for `found`, rows with their values (centre offset,
    /// logarithm of the size, objectness, classes).
    pub fn yolox(side: usize, classes: usize, found: &[(usize, &[f32])]) -> Self {
        let rows: usize = [8, 16, 32].iter().map(|stride| (side / stride).pow(2)).sum();
        let mut values = vec![0.0; rows * (5 + classes)];
        for (row, cells) in found {
            values[row * (5 + classes)..][..cells.len()].copy_from_slice(cells);
        }
        Self {
            input: picture(side),
            outputs: vec![Output { name: "output", shape: vec![1, rows, 5 + classes], values }],
        }
    }

    /// The tensors of an SSD of `side` x `side` pixels: per anchor its scores and its box (top, left, bottom, right).
    pub fn ssd(side: usize, anchors: &[(&[f32], [f32; 4])]) -> Self {
        let classes = anchors.first().map_or(0, |(scores, _)| scores.len());
        let scores: Vec<f32> = anchors.iter().flat_map(|(scores, _)| scores.iter().copied()).collect();
        let boxes: Vec<f32> = anchors.iter().flat_map(|(_, place)| *place).collect();
        let count = anchors.len();
        let outputs = vec![
            Output { name: "scores", shape: vec![1, count, classes], values: scores },
            Output { name: "boxes", shape: vec![1, count, 1, 4], values: boxes },
        ];
        Self { input: picture(side), outputs }
    }

    /// The file (onnx.proto of ONNX 1.12: `ModelProto`, operator set 13).
    pub fn bytes(&self) -> Vec<u8> {
        // Nothing can be computed before there is a picture: output = values + 1e-30 x its largest sample.
        let mut graph = [
            bytes(1, &node("ReduceMax", &["images"], "largest", &no_dimensions_kept())),
            bytes(1, &node("Mul", &["largest", "little"], "nothing", &[])),
            bytes(2, b"test"),
            bytes(5, &tensor("little", &[], &[1e-30])),
            bytes(11, &value_info("images", &self.input)),
        ]
        .concat();
        for Output { name, shape, values } in &self.outputs {
            let base = format!("{name} base");
            graph.extend(bytes(1, &node("Add", &[&base, "nothing"], name, &[])));
            graph.extend(bytes(5, &tensor(&base, shape, values)));
            let sizes: Vec<Size> = shape.iter().map(|size| Size::Fixed(*size)).collect();
            graph.extend(bytes(12, &value_info(name, &sizes)));
        }
        [varint(1, 8), bytes(8, &varint(2, 13)), bytes(7, &graph)].concat()
    }
}

fn picture(side: usize) -> Vec<Size> {
    [1, 3, side, side].map(Size::Fixed).to_vec()
}

fn node(operator: &str, inputs: &[&str], output: &str, attribute: &[u8]) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| bytes(1, name.as_bytes())).collect();
    [inputs, bytes(2, output.as_bytes()), bytes(4, operator.as_bytes()), attribute.to_vec()].concat()
}

/// `keepdims = 0`, of type INT.
fn no_dimensions_kept() -> Vec<u8> {
    bytes(5, &[bytes(1, b"keepdims"), varint(3, 0), varint(20, 2)].concat())
}

fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|size| varint(1, *size as u64)).collect();
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [shape, varint(2, 1), bytes(8, name.as_bytes()), bytes(9, &values)].concat()
}

fn value_info(name: &str, sizes: &[Size]) -> Vec<u8> {
    let size = |size: &Size| match size {
        Size::Fixed(count) => bytes(1, &varint(1, *count as u64)),
        Size::Open(name) => bytes(1, &bytes(2, name.as_bytes())),
    };
    let shape: Vec<u8> = sizes.iter().flat_map(size).collect();
    let tensor = [varint(1, 1), bytes(2, &shape)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A field that holds a number (protobuf wire type 0).
fn varint(field: u64, value: u64) -> Vec<u8> {
    [base128(field << 3), base128(value)].concat()
}

/// A field that holds bytes (wire type 2).
fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    [base128(field << 3 | 2), base128(content.len() as u64), content.to_vec()].concat()
}

fn base128(mut value: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    while value >= 0x80 {
        digits.push(value as u8 | 0x80);
        value >>= 7;
    }
    digits.push(value as u8);
    digits
}
