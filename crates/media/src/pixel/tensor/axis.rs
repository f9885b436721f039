//! Which samples of a source line make up each sample of a shorter or longer one.

/// Weights of one plane along one axis, in 16-bit fixed point. Every output has the same number of taps, so that the
/// loops over them unroll; those of no weight are 0.
#[derive(Debug)]
pub(super) struct Axis {
    /// Taps per output, at most the source length.
    pub(super) taps: usize,
    /// First source sample of each output; `start + taps` never exceeds the source length.
    pub(super) starts: Vec<u32>,
    /// `taps` per output; they add up to [`Axis::UNIT`].
    pub(super) weights: Vec<u16>,
}

impl Axis {
    /// Weight 1. One less than a power of two, so that a single tap fits.
    pub(super) const UNIT: u16 = u16::MAX;

    /// `source` samples to `target` samples. The target covers source coordinates `shift` to `shift + extent`, where
    /// sample `i` covers `i` to `i + 1`; beyond the ends the first and the last sample go on.
    ///
    /// Shrinking averages over area (`INTER_AREA` of `OpenCV`), enlarging is bilinear with half-pixel centres
    /// (`INTER_LINEAR`).
    pub(super) fn new(source: usize, extent: f64, shift: f64, target: usize) -> Self {
        let ratio = extent / target as f64;
        let spans = (0..target).map(|output| {
            if ratio > 1.0 {
                let start = output as f64 * ratio + shift;
                Span::area(start, start + ratio)
            } else {
                Span::linear((output as f64 + 0.5) * ratio - 0.5 + shift)
            }
        });
        Self::from_spans(source, &spans.map(|span| span.clamped(source)).collect::<Vec<_>>())
    }

    fn from_spans(source: usize, spans: &[Span]) -> Self {
        let taps = spans.iter().map(|span| span.weights.len()).max().unwrap_or(1);
        let mut axis = Self { taps, starts: Vec::new(), weights: vec![0; taps * spans.len()] };
        for (span, weights) in spans.iter().zip(axis.weights.chunks_exact_mut(taps)) {
            let start = (span.first as usize).min(source - taps);
            axis.starts.push(start as u32);
            span.quantise(&mut weights[span.first as usize - start..]);
        }
        axis
    }

    /// Source range and weights of one output.
    pub(super) fn output(&self, index: usize) -> (usize, &[u16]) {
        (self.starts[index] as usize, &self.weights[index * self.taps..][..self.taps])
    }
}

/// Consecutive samples and their exact weights, which add up to 1.
#[derive(Debug)]
struct Span {
    first: i64,
    weights: Vec<f64>,
}

impl Span {
    /// Mean over `start..end`, each sample weighted by its overlap.
    fn area(start: f64, end: f64) -> Self {
        // Rounding must not add a tap of weight 1e-16 to each output of an exact ratio: it costs a row of work.
        let (first, last) = ((start + 1e-9).floor() as i64, (end - 1e-9).floor() as i64);
        let weights = (first..=last).map(|i| {
            let overlap = end.min(i as f64 + 1.0) - start.max(i as f64);
            overlap / (end - start)
        });
        Self { first, weights: weights.collect() }
    }

    /// Between the two samples around `position`, where sample `i` lies at `i`.
    fn linear(position: f64) -> Self {
        let (first, part) = (position.floor() as i64, position - position.floor());
        let weights = if part < 1e-9 { vec![1.0] } else { vec![1.0 - part, part] };
        Self { first, weights }
    }

    /// Moves the weight of samples beyond the ends to the first and the last one.
    fn clamped(self, source: usize) -> Self {
        let end = source as i64 - 1;
        let first = self.first.clamp(0, end);
        let last = (self.first + self.weights.len() as i64 - 1).clamp(0, end);
        let mut weights = vec![0.0; (last - first + 1) as usize];
        for (i, weight) in (self.first..).zip(&self.weights) {
            weights[(i.clamp(0, end) - first) as usize] += weight;
        }
        Self { first, weights }
    }

    /// Rounds running sums rather than weights: each weight is right to one unit, and their sum exactly.
    fn quantise(&self, weights: &mut [u16]) {
        let (mut sum, mut before) = (0.0, 0);
        for (weight, target) in self.weights.iter().zip(weights) {
            sum += weight;
            let after = (sum * f64::from(Axis::UNIT)).round() as u16;
            *target = after - before;
            before = after;
        }
    }
}
