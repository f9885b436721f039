use ocelli_media::{AudioCodec, Codec};

use super::*;

fn picture(codec: Codec, keyframe: bool, composition: i32, data: &'static [u8]) -> VideoTag {
    VideoTag::Picture { codec, keyframe, composition, data: Bytes::from_static(data) }
}

fn configuration(codec: Codec, record: &'static [u8]) -> VideoTag {
    VideoTag::Configuration { codec, record: Bytes::from_static(record) }
}

#[test]
fn tags_of_pictures_are_read() {
    let cases: [(&'static [u8], VideoTag); 22] = [
        (b"", VideoTag::Nothing),
        (b"\x17\x00\x00\x00\x00avcC", configuration(Codec::H264, b"avcC")),
        (b"\x17\x01\x00\x00\x50data", picture(Codec::H264, true, 80, b"data")),
        (b"\x27\x01\xff\xff\xffdata", picture(Codec::H264, false, -1, b"data")),
        (b"\x37\x01\x80\x00\x00data", picture(Codec::H264, false, -8_388_608, b"data")),
        (b"\x17\x02\x00\x00\x00", VideoTag::Nothing),
        (b"\x27\x01\x00\x00\x00", VideoTag::Nothing),
        (b"\x57\x00", VideoTag::Nothing),
        (b"\x1c\x01\x7f\xff\xffdata", picture(Codec::H265, true, 8_388_607, b"data")),
        (b"\x90hvc1hvcC", configuration(Codec::H265, b"hvcC")),
        (b"\x91hvc1\x00\x00\x28data", picture(Codec::H265, true, 40, b"data")),
        (b"\xa3hvc1data", picture(Codec::H265, false, 0, b"data")),
        (b"\xa1avc1\xff\xff\xd8data", picture(Codec::H264, false, -40, b"data")),
        (b"\x91av01data", picture(Codec::Av1, true, 0, b"data")),
        (b"\xa1vp09data", picture(Codec::Vp9, false, 0, b"data")),
        (b"\x93vp08data", picture(Codec::Vp8, true, 0, b"data")),
        (b"\x92hvc1", VideoTag::Nothing),
        (b"\x94hvc1metadata", VideoTag::Nothing),
        (b"\xd1\x00", VideoTag::Nothing),
        // A modifier of three bytes: nanoseconds. And one of 256, whose length takes three bytes.
        (b"\x97\x02\x00\x01\x02\x03hvc1data", picture(Codec::H265, true, 0, b"data")),
        // One track; many tracks, of which number 0 comes second.
        (b"\x96\x01hvc1\x00\x00\x00\x28data", picture(Codec::H265, true, 40, b"data")),
        (
            b"\xa6\x21avc1\x01\x00\x00\x01xhvc1\x00\x00\x00\x05\x00\x00\x05ab",
            picture(Codec::H265, false, 5, b"ab"),
        ),
    ];
    for (bytes, tag) in cases {
        assert_eq!(video(Bytes::from_static(bytes)), Ok(tag), "{bytes:?}");
    }
    let long = [&b"\x97\xff\x00\xff"[..], &[0; 256], b"\x03hvc1data"].concat();
    assert_eq!(video(long.into()), Ok(picture(Codec::H265, true, 0, b"data")));
    let others = b"\x96\x11hvc1\x01\x00\x00\x01x\x02\x00\x00\x00";
    assert_eq!(video(Bytes::from_static(others)), Ok(VideoTag::Nothing), "no track of number 0");
}

#[test]
fn tags_of_sound_are_read() {
    let sound = |codec: AudioCodec, sample_rate, channels| AudioTag::Sound {
        codec,
        sample_rate,
        channels,
        data: Bytes::from_static(b"data"),
    };
    let other = |name: &str, rate, channels| sound(AudioCodec::Other(name.to_owned()), rate, channels);
    let record = |codec| AudioTag::Configuration { codec, record: Bytes::from_static(b"\x11\x90") };
    let cases: [(&'static [u8], AudioTag); 19] = [
        (b"", AudioTag::Nothing),
        (b"\xaf\x00\x11\x90", record(AudioCodec::Aac)),
        (b"\xaf\x01data", sound(AudioCodec::Aac, 0, 0)),
        (b"\xaf\x01", AudioTag::Nothing),
        (b"\x2fdata", other("mp3", 44_100, 2)),
        (b"\xeedata", other("mp3", 8000, 1)),
        (b"\x3edata", other("pcm_s16le", 44_100, 1)),
        (b"\x35data", other("pcm_u8", 11_025, 2)),
        (b"\x7edata", other("pcm_alaw", 8000, 1)),
        (b"\x8fdata", other("pcm_mulaw", 8000, 2)),
        (b"\xb2data", other("speex", 16_000, 1)),
        (b"\x6edata", other("nellymoser", 44_100, 1)),
        (b"\x52data", other("nellymoser", 8000, 1)),
        (b"\x90mp4a\x11\x90", record(AudioCodec::Aac)),
        (b"\x91Opusdata", sound(AudioCodec::Opus, 0, 0)),
        (b"\x91fLaCdata", other("flac", 0, 0)),
        (b"\x91\xffac4data", other("?ac4", 0, 0)),
        (b"\x94mp4a\x00", AudioTag::Nothing),
        (b"\x95\x01mp4a\x00data", sound(AudioCodec::Aac, 0, 0)),
    ];
    for (bytes, tag) in cases {
        assert_eq!(audio(Bytes::from_static(bytes)), Ok(tag), "{bytes:?}");
    }
}

#[test]
fn what_is_no_tag_is_refused() {
    let short: [&'static [u8]; 8] = [
        b"\x17",
        b"\x17\x01\x00",
        b"\x91hv",
        b"\x91hvc1\x00",
        b"\x97\x05ab",
        b"\x97",
        b"\x96\x11hvc1\x00\x00\x00\x09x",
        b"\x96",
    ];
    for bytes in short {
        assert_eq!(video(Bytes::from_static(bytes)), Err(FlvError::Short), "{bytes:?}");
    }
    let unknown: [&'static [u8]; 6] = [
        b"\x07\x01\x00\x00\x00x",
        b"\x17\x03\x00\x00\x00x",
        b"\x19\x01\x00\x00\x00x",
        b"\x98hvc1",
        b"\xf0hvc1",
        b"\x96\x31hvc1",
    ];
    for bytes in unknown {
        let error = video(Bytes::from_static(bytes)).unwrap_err();
        assert!(matches!(error, FlvError::Unknown(_)) && !error.is_lasting(), "{bytes:?}: {error:?}");
    }
    for (bytes, word) in
        [(&b"\x12\x00"[..], "Sorenson"), (b"\x91vvc1data", "vvc1"), (b"\x91\n\r\x00x", "???x")]
    {
        let error = video(Bytes::copy_from_slice(bytes)).unwrap_err();
        assert!(error.is_lasting() && error.to_string().contains(word), "{error}");
    }
    assert_eq!(video([0x97, 0, 0].repeat(20).into()), Err(FlvError::Unknown("the modifier")));
    for bytes in [&b"\xaf"[..], b"\x91mp", b"\x95"] {
        assert_eq!(audio(Bytes::copy_from_slice(bytes)), Err(FlvError::Short), "{bytes:?}");
    }
    for bytes in [&b"\xaf\x02x"[..], b"\xc0x", b"\x93mp4a"] {
        assert!(matches!(audio(Bytes::copy_from_slice(bytes)), Err(FlvError::Unknown(_))), "{bytes:?}");
    }
}
