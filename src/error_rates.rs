//! Error rates of a model, as `smrtctl evaluate --json` measured them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Error rates of a model over a labelled set of photos. A rate without probes to measure it on is
/// missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRates {
    /// The set on which they were measured.
    #[serde(default)]
    pub data_set: String,
    /// The digest of the models.
    pub model: String,
    /// Photos enrolled.
    pub enrolled: u64,
    /// Probes of somebody enrolled.
    pub mated: u64,
    /// Probes of somebody not enrolled.
    pub non_mated: u64,
    /// Photos without a usable face.
    pub failed: u64,
    /// Share of the mated probes whose subject came first.
    pub rank1: Option<f64>,
    /// Share of those whose subject was among the first 10.
    pub rank10: Option<f64>,
    /// Share of those whose subject was among the first 20.
    pub rank20: Option<f64>,
    /// Share of those whose subject was among the first 50.
    pub rank50: Option<f64>,
    /// Share of mated probes missed where one in ten of the others raises a false alarm.
    #[serde(rename = "fnir_at_fpir_0.1")]
    pub fnir_at_10: Option<f64>,
    /// Where one in twenty does.
    #[serde(rename = "fnir_at_fpir_0.05")]
    pub fnir_at_5: Option<f64>,
    /// Where one in a hundred does.
    #[serde(rename = "fnir_at_fpir_0.01")]
    pub fnir_at_1: Option<f64>,
    /// The score from which one in ten of the others raises a false alarm.
    #[serde(rename = "threshold_at_fpir_0.1")]
    pub threshold_at_10: Option<f64>,
    /// From which one in twenty does.
    #[serde(rename = "threshold_at_fpir_0.05")]
    pub threshold_at_5: Option<f64>,
    /// From which one in a hundred does.
    #[serde(rename = "threshold_at_fpir_0.01")]
    pub threshold_at_1: Option<f64>,
}
