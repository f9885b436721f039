use super::*;

fn check(size: (u32, u32), strides: [usize; 3], lengths: [usize; 3], wanted: Result<(), PictureError>) {
    let data = [0; 100];
    let planes = [0, 1, 2].map(|plane| Plane { data: &data[..lengths[plane]], stride: strides[plane] });
    let (range, matrix) = (Range::Full, Matrix::Bt601);
    let picture = Picture { width: size.0, height: size.1, planes, range, matrix };
    assert_eq!(picture.check(), wanted, "{size:?} {strides:?} {lengths:?}");
}

#[test]
fn planes_must_hold_the_picture() {
    check((3, 3), [3, 2, 2], [9, 4, 4], Ok(()));
    // The last row may lack its gap.
    check((3, 3), [8, 5, 6], [19, 7, 8], Ok(()));
    check((3, 3), [8, 5, 6], [18, 7, 8], Err(PictureError::Short { plane: 0, found: 18, needed: 19 }));
    check((3, 3), [3, 2, 2], [9, 4, 3], Err(PictureError::Short { plane: 2, found: 3, needed: 4 }));
    check((3, 3), [3, 1, 2], [9, 4, 4], Err(PictureError::Stride { plane: 1, stride: 1, row: 2 }));
    check((0, 3), [3, 2, 2], [9, 4, 4], Err(PictureError::Empty { width: 0, height: 3 }));
    check((3, 0), [3, 2, 2], [9, 4, 4], Err(PictureError::Empty { width: 3, height: 0 }));
    let needed = usize::MAX;
    check((3, 3), [usize::MAX, 2, 2], [9, 4, 4], Err(PictureError::Short { plane: 0, found: 9, needed }));
}

#[test]
fn black_is_whole_and_black() {
    for (range, luma) in [(Range::Limited, 16), (Range::Full, 0)] {
        let picture = OwnedPicture::black(5, 3, range, Matrix::Bt709);
        assert_eq!(picture.as_picture().check(), Ok(()));
        assert_eq!(picture.planes, [vec![luma; 15], vec![128; 6], vec![128; 6]]);
    }
}
