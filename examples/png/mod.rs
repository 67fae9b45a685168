//! SVG to PNG, at twice the size so that it is sharp on any display. With the fonts of the system; the screenshots of
//! the README are made with DejaVu Sans Mono (Debian: fonts-dejavu-core). Each carries the SHA-256 of its SVG.

use std::fmt::Write as _;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use sha2::{Digest, Sha256};

const SCALE: f32 = 2.0;

/// The picture of `svg`. Errors: not an SVG, or too large to hold.
pub fn of(svg: &str) -> Result<Vec<u8>, String> {
    let mut options = Options { font_family: "DejaVu Sans Mono".to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_system_fonts();
    fonts.set_monospace_family("DejaVu Sans Mono");
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or("too large")?;
    let mut picture = Pixmap::new(size.width(), size.height()).ok_or("too large")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    let mut png = picture.encode_png().map_err(|error| error.to_string())?;
    let mut mark = String::from("svg-sha256\0");
    for byte in Sha256::digest(svg) {
        let _ = write!(mark, "{byte:02x}");
    }
    // Behind the signature (8 bytes) and the header's chunk (25), where texts may stand.
    png.splice(HEAD..HEAD, chunk(*b"tEXt", mark.as_bytes()));
    Ok(png)
}

const HEAD: usize = 33;

/// Length, kind, content and their CRC-32, as the PNG specification has it.
fn chunk(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = u32::try_from(content.len()).expect("a short text").to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(content);
    let crc = chunk[4..].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    chunk.extend((!crc).to_be_bytes());
    chunk
}
