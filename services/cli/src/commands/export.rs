//! `export`.

use tesela_compute::Cube;
use tesela_model::Progress;

use crate::args::ExportArgs;
use crate::failure::Failure;
use crate::output::Output;

/// Writes a product's assembled view as a directory.
pub fn run(cube: &Cube, args: &ExportArgs, progress: &dyn Progress, output: &Output) -> Result<(), Failure> {
    let snapshot = args.snapshot.as_deref().map(|asked| super::snapshot(cube, Some(asked))).transpose()?;
    let report = cube.export_view(&args.product, snapshot, &args.zarr_view, args.copy, progress)?;
    output.answer(&report, || {
        format!(
            "{} at snapshot {}: {} dates, {:.1} MB, {} files linked, {} written\nxarray.open_zarr({:?})",
            report.product,
            report.snapshot,
            report.dates,
            report.bytes as f64 / 1e6,
            report.linked,
            report.written,
            std::path::absolute(&args.zarr_view).unwrap_or_else(|_| args.zarr_view.clone()),
        )
    });
    Ok(())
}
