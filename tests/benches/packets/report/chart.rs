//! The chart of the README: what a frame costs by the length of the list.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use filter_tests::measure::markdown::thousands;
use filter_tests::world::Family;
use plotters::chart::SeriesLabelPosition;
use plotters::prelude::*;

use super::Report;
use crate::lists::Origin;
use crate::live::Row;
use crate::sources::Sources;

const SIZE: (u32, u32) = (900, 520);
const FONT: &str = "sans-serif";

/// Colours that can be told apart, also by those who see red and green alike
/// (Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 0, 0),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(240, 160, 30),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(150, 140, 20),
];

/// A filter's name, and its points: entries and nanoseconds.
type Line<'r> = (&'r str, Vec<(f64, f64)>);

/// Draws the IPv4 rows of random lists and random sources.
pub(super) fn draw(report: &Report, path: &Path) -> Result<()> {
    let lines = lines(&report.live);
    if lines.is_empty() {
        return Ok(());
    }
    plot(report, &lines, path)
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| format!("cannot draw {}", path.display()))
}

fn lines(rows: &[Row]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let shown = rows.iter().filter(|row| {
        row.family == Family::V4.name()
            && row.list == Origin::Random
            && row.sources == Sources::Unlisted
    });
    for row in shown {
        let entries = u32::try_from(row.entries).map_or(f64::MAX, f64::from);
        let point = (entries, row.ns.median);
        match lines.iter_mut().find(|(filter, _)| *filter == row.filter) {
            Some((_, points)) => points.push(point),
            None => lines.push((row.filter, vec![point])),
        }
    }
    lines
}

fn plot(
    report: &Report,
    lines: &[Line<'_>],
    path: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let most_entries = points().map(|point| point.0).fold(10.0, f64::max);
    let most_ns = points().map(|point| point.1).fold(0.0, f64::max);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let caption = format!("{}, Linux {}", report.machine.date, report.machine.kernel);
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("Cost of a frame from an unlisted IPv4 source ({caption})"), (FONT, 18))
        .margin(16)
        .margin_right(40)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d((1.0..most_entries).log_scale(), 0.0..most_ns * 1.1)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("entries on the list")
        .y_desc("ns a frame on one CPU, generator included")
        .x_label_formatter(&|entries| {
            format!("{entries:.0}").parse().map_or_else(|_| String::new(), thousands)
        })
        .y_label_formatter(&|ns| format!("{ns:.0}"))
        .label_style((FONT, 14))
        .draw()?;
    for ((filter, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let style = colour.stroke_width(2);
        let series = LineSeries::new(points.iter().copied(), style).point_size(3);
        chart
            .draw_series(series)?
            .label(*filter)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .label_font((FONT, 14))
        .draw()?;
    root.present()?;
    Ok(())
}
