//! Whose fault an error is, with a decoder that says what libav says only on broken builds and exhausted memory.

use std::collections::VecDeque;

use bytes::Bytes;
use ocelli_model::TimeBase;

use super::*;
use crate::{
    Codec,
    bitstream::PictureInfo,
    pixel::{Matrix, OwnedPicture, Range},
};

type Answer = Result<Option<Decoded>, DecodeError>;

/// Gives the answers of each unit in turn, the last ones when it is drained.
#[derive(Debug)]
struct Scripted {
    parameters: Arc<CodecParameters>,
    scenes: VecDeque<Vec<Answer>>,
    answers: VecDeque<Answer>,
}

impl Decoder for Scripted {
    fn send(&mut self, _unit: &AccessUnit, _wanted: bool) -> Result<(), DecodeError> {
        self.answers = self.scenes.pop_front().unwrap_or_default().into();
        Ok(())
    }

    fn send_end(&mut self) {
        self.answers = self.scenes.drain(..).flatten().collect();
    }

    fn receive(&mut self) -> Answer {
        self.answers.pop_front().unwrap_or(Ok(None))
    }

    fn flush(&mut self) {}

    fn parameters(&self) -> &Arc<CodecParameters> {
        &self.parameters
    }
}

fn gives(pts: i64) -> Decoded {
    let picture = OwnedPicture::black(2, 2, Range::Limited, Matrix::Bt601);
    Decoded { pts, frame: Some(Ok(Frame::from_picture(pts, picture))), damaged: false, unit_damaged: None }
}

/// Feeds units at 0, 1, 2, all chosen and the first a keyframe: PTS and what is said of each picture.
fn outcomes(scenes: [Vec<Answer>; 4]) -> Vec<(i64, Option<PictureError>)> {
    let parameters = Arc::new(CodecParameters::new(Codec::H264, Bytes::new(), TimeBase::SECOND));
    let scripted =
        Scripted { parameters: Arc::clone(&parameters), scenes: scenes.into(), answers: VecDeque::new() };
    let once = std::sync::Mutex::new(Some(scripted));
    let open = move |_: &Arc<CodecParameters>| {
        Ok(Box::new(once.lock().unwrap().take().unwrap()) as Box<dyn Decoder>)
    };
    let mut decoding = Decoding::new(Box::new(open));
    for pts in 0..3 {
        let unit = AccessUnit::new(pts, Bytes::new(), Arc::clone(&parameters));
        let access = if pts == 0 { Access::Keyframe { leading: false } } else { Access::None };
        let info = PictureInfo {
            access,
            reference: true,
            skipped_after_random_access: false,
            reorder_depth: 1,
            references_lost: false,
            shown: true,
            field: crate::bitstream::Field::Whole,
        };
        decoding
            .feed(&Feed { unit, info, fresh: pts == 0, chosen: Some(Chosen { slot: None }), floor: None })
            .unwrap();
    }
    decoding.drain();
    decoding
        .take_outcomes()
        .into_iter()
        .map(|outcome| (outcome.pts, outcome.picture.unwrap().err()))
        .collect()
}

fn no_memory() -> PictureError {
    PictureError::Damaged(AvError::NO_MEMORY.to_string())
}

#[test]
fn a_picture_whose_planes_cannot_be_used_fails_alone() {
    // It comes out while the next unit is fed.
    let unusable = Decoded { frame: Some(Err(AvError::NO_MEMORY)), ..gives(0) };
    let scenes = [vec![], vec![Ok(Some(unusable))], vec![Ok(Some(gives(1)))], vec![Ok(Some(gives(2)))]];
    assert_eq!(outcomes(scenes), [(0, Some(no_memory())), (1, None), (2, None)]);
}

#[test]
fn what_a_decoder_says_while_it_is_drained_is_kept() {
    let failed = || Err(DecodeError::Codec(AvError::NO_MEMORY));
    let scenes = [vec![Ok(Some(gives(0)))], vec![], vec![], vec![Ok(Some(gives(1))), failed()]];
    assert_eq!(outcomes(scenes), [(0, None), (1, None), (2, Some(no_memory()))]);
    let complained = Decoded { unit_damaged: Some(DecodeError::Damaged("torn".to_owned())), ..gives(1) };
    let scenes = [vec![Ok(Some(gives(0)))], vec![], vec![], vec![Ok(Some(complained))]];
    let torn = Some(PictureError::Damaged("torn".to_owned()));
    assert_eq!(outcomes(scenes), [(0, None), (1, torn), (2, Some(PictureError::Missing))]);
}
