//! What a player takes from a live playlist: which segments and parts there are.

use anyhow::{Context as _, Result};

/// Of a live playlist, skipped segments counted.
#[derive(Debug, Default)]
pub(crate) struct Live<'a> {
    pub(crate) target_seconds: f64,
    /// Number of the first segment.
    pub(crate) first: u64,
    /// Whole segments; an empty name where a delta update left it out.
    pub(crate) segments: Vec<&'a str>,
    /// Parts by segment: its number, the part's place in it, its name.
    pub(crate) parts: Vec<(u64, u64, &'a str)>,
}

impl Live<'_> {
    /// Number of the segment after the last whole one.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.segments.len() as u64
    }
}

pub(crate) fn read(text: &str) -> Result<Live<'_>> {
    let mut live = Live::default();
    let mut part = 0;
    for line in text.lines() {
        if let Some(seconds) = line.strip_prefix("#EXT-X-TARGETDURATION:") {
            live.target_seconds = seconds.parse()?;
        } else if let Some(number) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
            live.first = number.parse()?;
        } else if let Some(count) = line.strip_prefix("#EXT-X-SKIP:SKIPPED-SEGMENTS=") {
            live.segments.resize(count.parse::<u16>()?.into(), "");
        } else if let Some(attributes) = line.strip_prefix("#EXT-X-PART:") {
            let (_, rest) = attributes.split_once("URI=\"").context("a part without a name")?;
            let (name, _) = rest.split_once('"').context("a part without a name")?;
            live.parts.push((live.next(), part, name));
            part += 1;
        } else if !line.is_empty() && !line.starts_with('#') {
            live.segments.push(line);
            part = 0;
        }
    }
    Ok(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_and_parts_numbered() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXT-X-PART:DURATION=0.2,URI=\"9.0.m4s\",INDEPENDENT=YES\n#EXT-X-PART:DURATION=0.2,URI=\"9.1.m4s\"\n#EXTINF:2.0,\n9.m4s\n#EXT-X-PART:DURATION=0.2,URI=\"10.0.m4s\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"10.1.m4s\"\n";
        let live = read(text).unwrap();
        assert_eq!((live.first, live.next(), live.target_seconds), (7, 10, 2.0));
        assert_eq!(live.segments, ["", "", "9.m4s"]);
        assert_eq!(live.parts, [(9, 0, "9.0.m4s"), (9, 1, "9.1.m4s"), (10, 0, "10.0.m4s")]);
        assert!(read("#EXT-X-MEDIA-SEQUENCE:x").is_err());
        assert!(read("#EXT-X-PART:DURATION=0.2").is_err());
    }
}
