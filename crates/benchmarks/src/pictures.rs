//! The pictures of the document: the roofline, and the curve over the sizes of a batch.

use std::error::Error;
use std::fs;

use anyhow::{Context, Result, anyhow};
use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::figures::Row;
use crate::machine::Machine;
use crate::results::Results;
use crate::workspace;

const SIZE: (u32, u32) = (860, 500);

/// A colour for each curve or point; behind the last one the first comes again, with another mark.
const COLORS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(255, 127, 14),
    RGBColor(90, 90, 90),
];

/// Writes those pictures that the results have figures for.
///
/// # Errors
/// A picture cannot be drawn or written.
pub(crate) fn write(results: &Results) -> Result<()> {
    for (name, picture) in [("roofline.svg", roofline(results)?), ("batch_sizes.svg", batch_sizes(results)?)] {
        let Some(picture) = picture else { continue };
        let file = workspace::pictures().join(name);
        fs::write(&file, picture).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

/// A piece of work under the roof.
struct Point<'a> {
    work: &'a str,
    /// Operations per byte.
    intensity: f64,
    gigaflops: f64,
}

impl<'a> Point<'a> {
    fn of(row: &'a Row) -> Option<Self> {
        let cost = row.cost?;
        let gigaflops = row.ours.median * cost.operations / 1e9;
        Some(Self { work: &row.work, intensity: cost.operations / cost.bytes, gigaflops })
    }
}

/// What the machine gives at so many operations per byte.
fn roof(machine: &Machine, intensity: f64) -> f64 {
    machine.gigaflops.min(machine.copy_gigabytes * intensity)
}

/// Operations per second over operations per byte, on logarithmic axes; `None` without a figure.
fn roofline(results: &Results) -> Result<Option<String>> {
    let machine = &results.machine;
    let points: Vec<Point<'_>> = rows(results).filter_map(Point::of).collect();
    let ridge = machine.gigaflops / machine.copy_gigabytes;
    let Some((left, right)) = bounds(points.iter().map(|point| point.intensity)) else { return Ok(None) };
    let (left, right) = (left.min(ridge) / 2.0, right.max(ridge) * 2.0);
    let low = points.iter().map(|point| point.gigaflops).fold(roof(machine, left), f64::min) / 2.0;
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        let mut chart = builder(&area)
            .build_cartesian_2d((left..right).log_scale(), (low..machine.gigaflops * 2.0).log_scale())
            .map_err(failed)?;
        mesh(&mut chart, "operations per byte, at the least bytes", "GFLOP/s")?;
        let corners = [left, ridge, right].map(|at| (at, roof(machine, at)));
        chart
            .draw_series(LineSeries::new(corners, BLACK.stroke_width(2)))
            .map_err(failed)?
            .label(format!("{:.1} GB/s, then {:.0} GFLOP/s", machine.copy_gigabytes, machine.gigaflops))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], BLACK.stroke_width(2)));
        for (index, point) in points.iter().enumerate() {
            let (place, style) = ((point.intensity, point.gigaflops), COLORS[index % COLORS.len()].filled());
            if (index / COLORS.len()).is_multiple_of(2) {
                let series = chart.draw_series([Circle::new(place, 5, style)]).map_err(failed)?;
                series.label(point.work).legend(move |(x, y)| Circle::new((x + 7, y), 5, style));
            } else {
                let series = chart.draw_series([TriangleMarker::new(place, 6, style)]).map_err(failed)?;
                series.label(point.work).legend(move |(x, y)| TriangleMarker::new((x + 7, y), 6, style));
            }
        }
        legend(&mut chart)?;
        area.present().map_err(failed)?;
    }
    Ok(Some(picture))
}

/// Samples per second over the size of a batch, a curve for each model; `None` without a figure.
fn batch_sizes(results: &Results) -> Result<Option<String>> {
    let mut curves: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for row in rows(results) {
        let Some(place) = &row.place else { continue };
        let point = (place.at, row.ours.median);
        match curves.iter_mut().find(|(name, _)| *name == place.curve) {
            Some((_, points)) => points.push(point),
            None => curves.push((&place.curve, vec![point])),
        }
    }
    let points = || curves.iter().flat_map(|(_, points)| points);
    let Some((first, last)) = bounds(points().map(|point| point.0)) else { return Ok(None) };
    let highest = points().fold(0.0, |highest, point| point.1.max(highest));
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        let mut chart = builder(&area)
            .build_cartesian_2d((first..last * 1.1).log_scale().base(2.0), 0.0..highest * 1.1)
            .map_err(failed)?;
        mesh(&mut chart, "samples in a batch", "samples/s")?;
        for ((name, points), color) in curves.iter().zip(COLORS.iter().cycle()) {
            let style = color.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style).point_size(4))
                .map_err(failed)?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], style));
        }
        legend(&mut chart)?;
        area.present().map_err(failed)?;
    }
    Ok(Some(picture))
}

fn rows(results: &Results) -> impl Iterator<Item = &Row> {
    results.sections.iter().flat_map(|section| &section.rows)
}

/// The least and the most; `None` without a value.
fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |bounds, value| {
        let (least, most) = bounds.unwrap_or((value, value));
        Some((value.min(least), value.max(most)))
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn builder<'a, 'b>(area: &'a Area<'b>) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin(12).x_label_area_size(44).y_label_area_size(72);
    builder
}

/// The grid, with what the axes count.
fn mesh<X, Y>(chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, Y>>, across: &str, up: &str) -> Result<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let number = |value: &f64| format!("{value}");
    let mut style = chart.configure_mesh();
    style.x_desc(across).y_desc(up).x_label_formatter(&number).y_label_formatter(&number);
    style.light_line_style(BLACK.mix(0.04)).label_style(("sans-serif", 13)).draw().map_err(failed)
}

/// What the marks stand for.
fn legend<'a, X, Y>(chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>) -> Result<()>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    let mut style = chart.configure_series_labels();
    style.position(SeriesLabelPosition::LowerRight).background_style(WHITE.mix(0.85)).border_style(BLACK.mix(0.3));
    style.label_font(("sans-serif", 13)).draw().map_err(failed)
}

/// plotters' errors borrow from what is drawn.
fn failed(error: impl Error) -> anyhow::Error {
    anyhow!("a picture cannot be drawn: {error}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::figures::{Cost, CurvePoint, Figure, Unit};
    use crate::results::Section;

    fn results(rows: Vec<Row>) -> Results {
        let machine = Machine {
            processor: "CPU".to_owned(),
            cores: 2,
            threads: 2,
            gigaflops_of_one: 100.0,
            gigaflops: 200.0,
            copy_gigabytes: 20.0,
            gpu: None,
        };
        let sections = vec![Section { line: "line".to_owned(), about: String::new(), rows }];
        Results { machine, rows: String::new(), rounds: 1, peers: false, quick: true, sections }
    }

    fn row(work: &str, rate: f64) -> Row {
        Row::new(work, Unit::Samples, Figure::single(rate))
    }

    #[test]
    fn the_roof_rises_to_the_ridge_and_stays() {
        let machine = results(Vec::new()).machine;
        for (intensity, expected) in [(1.0, 20.0), (10.0, 200.0), (1000.0, 200.0)] {
            assert!((roof(&machine, intensity) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn a_point_stands_where_its_operations_and_bytes_put_it() {
        let cost = Some(Cost { operations: 3e6, bytes: 1e5 });
        let row = Row { cost, ..row("training", 20_000.0) };
        let point = Point::of(&row).unwrap();
        assert!((point.intensity - 30.0).abs() < 1e-9 && (point.gigaflops - 60.0).abs() < 1e-9);
        assert!(Point::of(&Row { cost: None, ..row }).is_none());
    }

    #[test]
    fn pictures_name_what_they_show() {
        let cost = Some(Cost { operations: 3e6, bytes: 1e5 });
        let point = |index: usize| Row { cost, ..row(&format!("work {index}"), 20_000.0 + index as f64) };
        let place = |at| Row { place: Some(CurvePoint { curve: "DIN".to_owned(), at }), ..row("batch", 1e3 * at) };
        let results = results((0..7).map(point).chain([place(32.0), place(8192.0)]).collect());
        let picture = roofline(&results).unwrap().unwrap();
        for text in ["work 0", "work 6", "20.0 GB/s, then 200 GFLOP/s", "operations per byte"] {
            assert!(picture.contains(text), "{text}");
        }
        // Six circles and one triangle, and the same in the legend.
        assert_eq!((picture.matches("<circle").count(), picture.matches("<polygon").count()), (12, 2));
        let picture = batch_sizes(&results).unwrap().unwrap();
        assert!(picture.contains("DIN") && picture.contains("8192") && picture.contains("samples in a batch"));
    }

    #[test]
    fn without_figures_there_is_no_picture() {
        let results = results(vec![row("alone", 1.0)]);
        assert_eq!((roofline(&results).unwrap(), batch_sizes(&results).unwrap()), (None, None));
    }
}
