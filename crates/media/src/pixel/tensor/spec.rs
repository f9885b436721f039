//! What a model wants to see, and where the picture went.

/// How a picture is made to fit the tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Both axes are scaled on their own; the aspect ratio is lost.
    Stretch,
    /// Aspect ratio kept, picture at the top left, the rest grey of this level (YOLOX). The shorter side is rounded
    /// down, as its reference does.
    LetterboxTopLeft {
        /// 0 to 255, before scale and offset.
        pad: u8,
    },
    /// Aspect ratio kept, picture in the centre (`YOLOv5` and later). The shorter side is rounded to nearest.
    LetterboxCentre {
        /// 0 to 255, before scale and offset.
        pad: u8,
    },
}

/// Order of the three channel planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// An image input of a model: f32, planar (NCHW with N = 1), `value = rgb * scale[c] + offset[c]` where `rgb` runs from
/// 0 to 255 and `c` counts channels in the tensor's own order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorSpec {
    /// Tensor pixels; positive.
    pub width: u32,
    /// Tensor pixels; positive.
    pub height: u32,
    /// How the picture is made to fit.
    pub fit: Fit,
    /// Order of the channel planes.
    pub order: ChannelOrder,
    /// Factor per channel.
    pub scale: [f32; 3],
    /// Summand per channel.
    pub offset: [f32; 3],
}

impl TensorSpec {
    /// Floats in the tensor.
    pub fn len(&self) -> usize {
        (self.width as usize).saturating_mul(self.height as usize).saturating_mul(3)
    }

    /// Whether the tensor has no floats.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where a picture of `width` x `height` (both positive) goes.
    pub fn placement(&self, width: u32, height: u32) -> Placement {
        let (inner_width, inner_height) = match self.fit {
            Fit::Stretch => (self.width, self.height),
            Fit::LetterboxTopLeft { .. } => self.letterbox(width, height, |_| 0),
            Fit::LetterboxCentre { .. } => self.letterbox(width, height, |divisor| divisor / 2),
        };
        let (left, top) = match self.fit {
            Fit::LetterboxCentre { .. } => ((self.width - inner_width) / 2, (self.height - inner_height) / 2),
            Fit::Stretch | Fit::LetterboxTopLeft { .. } => (0, 0),
        };
        Placement {
            scale_x: (f64::from(inner_width) / f64::from(width)) as f32,
            scale_y: (f64::from(inner_height) / f64::from(height)) as f32,
            left,
            top,
            width: inner_width,
            height: inner_height,
        }
    }

    /// Largest size of the picture's shape in the tensor, at least one pixel. `rounding` is added before a division.
    fn letterbox(&self, width: u32, height: u32, rounding: fn(u64) -> u64) -> (u32, u32) {
        let fitted = |side: u32, tensor: u32, divisor: u32, limit: u32| {
            let divisor = u64::from(divisor);
            let side = (u64::from(side) * u64::from(tensor) + rounding(divisor)) / divisor;
            side.clamp(1, u64::from(limit)) as u32
        };
        if u64::from(self.width) * u64::from(height) <= u64::from(self.height) * u64::from(width) {
            (self.width, fitted(height, self.width, width, self.height))
        } else {
            (fitted(width, self.height, height, self.width), self.height)
        }
    }
}

/// Where in the tensor the picture is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Tensor pixels per picture pixel.
    pub scale_x: f32,
    /// Tensor pixels per picture pixel.
    pub scale_y: f32,
    /// Tensor pixels of padding to the left.
    pub left: u32,
    /// Tensor pixels of padding above.
    pub top: u32,
    /// Tensor pixels that the picture is wide.
    pub width: u32,
    /// Tensor pixels that the picture is high.
    pub height: u32,
}

impl Placement {
    /// A box `[left, top, right, bottom]` in tensor pixels as fractions of the picture. Not clamped: what lies in the
    /// padding is below 0 or above 1.
    pub fn fractions(&self, [left, top, right, bottom]: [f32; 4]) -> [f32; 4] {
        let across = |x: f32| (x - self.left as f32) / self.width as f32;
        let down = |y: f32| (y - self.top as f32) / self.height as f32;
        [across(left), down(top), across(right), down(bottom)]
    }
}
