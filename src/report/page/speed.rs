//! The picture of speed over time.

use super::numbers::{plain, short};
use crate::report::PaceReport;
use plotters::prelude::*;

const SIZE: (u32, u32) = (520, 220);
/// Placeholder colours, which the style sheet replaces.
const LINE: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);

/// Effective steps per second and core, over the seconds of the run; none without samples.
///
/// # Errors
/// A message if it cannot be drawn.
pub(super) fn plot(pace: &[PaceReport]) -> Result<Option<String>, String> {
    let speeds = speeds(pace);
    let most = speeds.iter().map(|(_, speed)| *speed).fold(0.0, f64::max);
    let Some((end, _)) = speeds.last().copied().filter(|_| most > 0.0) else { return Ok(None) };
    let mut svg = String::new();
    draw(&mut svg, &speeds, end, most).map_err(|error| format!("the picture of the speed: {error}"))?;
    Ok(Some(svg))
}

/// The speed between each sample and the one before.
fn speeds(pace: &[PaceReport]) -> Vec<(f64, f64)> {
    let mut speeds: Vec<(f64, f64)> = Vec::new();
    let mut before = PaceReport { seconds: 0.0, effective_steps: 0, stepping_seconds: 0.0 };
    for point in pace {
        let steps = point.effective_steps.saturating_sub(before.effective_steps);
        let speed = steps as f64 / (point.stepping_seconds - before.stepping_seconds);
        if point.seconds > before.seconds && speed.is_finite() && speed > 0.0 {
            if speeds.is_empty() {
                speeds.push((0.0, speed));
            }
            speeds.push((point.seconds, speed));
        }
        before = *point;
    }
    speeds
}

fn draw(
    svg: &mut String,
    speeds: &[(f64, f64)],
    end: f64,
    most: f64,
) -> Result<(), DrawingAreaErrorKind<impl std::error::Error + Send + Sync + use<>>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .x_label_area_size(30)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..end, 0.0..1.1 * most)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style(("sans-serif", 12))
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&|seconds| format!("{} s", plain(*seconds)))
        .y_label_formatter(&|speed| short(*speed))
        .draw()?;
    chart.draw_series(LineSeries::new(speeds.iter().copied(), LINE.stroke_width(2)))?;
    area.present()
}
