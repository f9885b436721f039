//! Numbers of classes in a COCO file.

/// COCO's classes in the order of its own numbers, from 1; ten of the ninety are holes. The list that models are
/// labelled with, so that there is one.
const COCO: &str = include_str!("../../../analyze/labels/coco90.txt");
const HOLE: &str = "n/a";

/// A class of COCO has COCO's number wherever it occurs; others count on from 91 as they appear.
#[derive(Debug)]
pub(super) struct Categories {
    /// Number and name, by number.
    coco: Vec<(u64, &'static str)>,
    others: Vec<String>,
}

impl Categories {
    pub(super) fn new() -> Self {
        Self { coco: (1..).zip(COCO.lines()).collect(), others: Vec::new() }
    }

    pub(super) fn id(&mut self, label: &str) -> u64 {
        let known = self.coco.iter().find(|(_, name)| *name == label && label != HOLE);
        if let Some((id, _)) = known {
            return *id;
        }
        let place = self.others.iter().position(|name| name == label).unwrap_or_else(|| {
            self.others.push(label.to_owned());
            self.others.len() - 1
        });
        self.coco.len() as u64 + 1 + place as u64
    }

    /// All of COCO, seen or not, so that files of different runs agree; then the others.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &str)> {
        let coco = self.coco.iter().copied().filter(|(_, name)| *name != HOLE);
        let others = (self.coco.len() as u64 + 1..).zip(self.others.iter().map(String::as_str));
        coco.chain(others)
    }
}
