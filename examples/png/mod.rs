//! SVG to PNG, larger than drawn so that it is sharp on any display. With the fonts of the system; the screenshots of
//! the README are made with DejaVu Sans Mono (Debian: fonts-dejavu-core). Each carries the SHA-256 of its SVG.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use ::png::{BitDepth, ColorType, Compression, Encoder, Filter, chunk};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use sha2::{Digest, Sha256};

/// Wide pictures are shown smaller anyway.
const SCALE: (f32, f32) = (2.0, 1.5);
const WIDE: f32 = 1000.0;

/// The picture of `svg`. Errors: not an SVG, or too large to hold.
pub fn of(svg: &str) -> Result<Vec<u8>, String> {
    let mut options = Options { font_family: "DejaVu Sans Mono".to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_system_fonts();
    fonts.set_monospace_family("DejaVu Sans Mono");
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let scale = if tree.size().width() < WIDE { SCALE.0 } else { SCALE.1 };
    let size = tree.size().to_int_size().scale_by(scale).ok_or("too large")?;
    let mut picture = Pixmap::new(size.width(), size.height()).ok_or("too large")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    let (colours, indexes) = indexed(&picture);
    let mut mark = String::from("svg-sha256\0");
    for byte in Sha256::digest(svg) {
        let _ = write!(mark, "{byte:02x}");
    }
    let mut png = Vec::new();
    let mut encoder = Encoder::new(&mut png, picture.width(), picture.height());
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::NoFilter); // neighbouring indexes are no neighbouring colours
    encoder.set_palette(colours.iter().flat_map(|colour| [colour[0], colour[1], colour[2]]).collect::<Vec<u8>>());
    encoder.set_trns(colours.iter().map(|colour| colour[3]).collect::<Vec<u8>>());
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_chunk(chunk::tEXt, mark.as_bytes()).map_err(|error| error.to_string())?;
    writer.write_image_data(&indexes).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(png)
}

type Rgba = [u8; 4];

/// The picture with its 256 most frequent colours; the rest, rare steps of the letters' edges, take the nearest.
fn indexed(picture: &Pixmap) -> (Vec<Rgba>, Vec<u8>) {
    let pixels = picture.pixels().iter().map(|pixel| {
        let pixel = pixel.demultiply();
        [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()]
    });
    let mut counts = BTreeMap::<Rgba, usize>::new();
    pixels.clone().for_each(|pixel| *counts.entry(pixel).or_default() += 1);
    let mut colours: Vec<Rgba> = counts.keys().copied().collect();
    colours.sort_by_key(|colour| (Reverse(counts[colour]), *colour));
    let rare = colours.split_off(colours.len().min(256));
    let distance = |a: Rgba, b: Rgba| a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
    let nearest = |colour: Rgba| (0..colours.len()).min_by_key(|at| distance(colours[*at], colour)).unwrap_or(0);
    let mut index: BTreeMap<Rgba, u8> = rare.into_iter().map(|colour| (colour, nearest(colour) as u8)).collect();
    index.extend(colours.iter().enumerate().map(|(at, colour)| (*colour, at as u8)));
    let indexes = pixels.map(|pixel| index[&pixel]).collect();
    (colours, indexes)
}
