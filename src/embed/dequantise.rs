//! Dequantisation: quantised weights to f32 weights, once and exactly.
//!
//! Published int8 models keep each weight as a small integer with a scale and a zero point a block,
//! and rebuild it in the graph on every run: `DequantizeLinear`, then `Reshape`. The engine here
//! doesn't read that form. Everything that depends on constants alone is computed here instead:
//! (quantised - zero point) x scale in f32, the very arithmetic that the operator defines. The
//! result has the same inputs, outputs and values. The same bytes in give the same bytes out, so
//! that the manifest can name the result's digest.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto};

use super::error::ModelError;

/// Operators whose meaning is the same in the opset that the result claims as in the source's.
const OPERATORS: [&str; 14] = [
    "Add",
    "BatchNormalization",
    "Conv",
    "Flatten",
    "Gemm",
    "MaxPool",
    "Mul",
    "PRelu",
    "Relu",
    "Reshape",
    "Resize",
    "Sigmoid",
    "Sub",
    "Transpose",
];
/// The opset of the result.
const OPSET: i64 = 13;
/// The version of the file format of the result.
const IR_VERSION: i64 = 7;

/// The model with plain f32 weights.
///
/// Errors: bytes that are no model, an operator or a tensor that this can't vouch for.
pub(super) fn dequantise(source: &[u8]) -> Result<Vec<u8>, ModelError> {
    let model =
        ModelProto::decode(source).map_err(|e| ModelError::Format { source: Box::new(e) })?;
    let graph = model.graph.ok_or_else(|| unread("a file without a graph"))?;
    let result = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        graph: Some(fold(graph)?),
        ..ModelProto::default()
    };
    Ok(result.encode_to_vec())
}

/// The graph without the nodes that depend on constants alone and without those that do nothing
/// when a model is used.
fn fold(graph: GraphProto) -> Result<GraphProto, ModelError> {
    let mut constants: BTreeMap<String, TensorProto> =
        graph.initializer.into_iter().map(|t| (t.name.clone(), t)).collect();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let mut kept: Vec<NodeProto> = Vec::new();
    for mut node in graph.node {
        for input in &mut node.input {
            if let Some(original) = renamed.get(input) {
                input.clone_from(original);
            }
        }
        let output = node.output.first().cloned().unwrap_or_default();
        let constant =
            !node.input.is_empty() && node.input.iter().all(|i| constants.contains_key(i));
        match node.op_type.as_str() {
            "Constant" => {
                let value =
                    node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.clone());
                constants
                    .insert(output, value.ok_or_else(|| unread("a Constant that is no tensor"))?);
            }
            "DequantizeLinear" if constant => {
                let weights = dequantised(&node, &constants)?;
                constants.insert(output, weights);
            }
            "Reshape" if constant => {
                let shaped = reshaped(&constants[&node.input[0]], &constants[&node.input[1]])?;
                constants.insert(output, shaped);
            }
            "Dropout" | "Identity" if !node.input.is_empty() => {
                renamed.insert(output, node.input[0].clone());
            }
            known if OPERATORS.contains(&known) && node.domain.is_empty() => {
                node.doc_string = String::new();
                kept.push(node);
            }
            other => return Err(unread(&format!("the operator {other}"))),
        }
    }
    if let Some(output) = graph.output.iter().find(|o| renamed.contains_key(&o.name)) {
        return Err(unread(&format!(
            "the output {} behind an operator that does nothing",
            output.name
        )));
    }
    let used: BTreeSet<&String> = kept.iter().flat_map(|n| &n.input).collect();
    // In the order of names, so that the result doesn't depend on the source's order.
    let initializer = constants
        .iter()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, t)| TensorProto { name: name.clone(), doc_string: String::new(), ..t.clone() })
        .collect();
    // Old files list their weights among the inputs, those too that are gone now.
    let input = graph
        .input
        .iter()
        .filter(|i| used.contains(&i.name) && !constants.contains_key(&i.name))
        .cloned()
        .collect();
    Ok(GraphProto {
        name: graph.name,
        node: kept,
        initializer,
        input,
        output: graph.output,
        ..GraphProto::default()
    })
}

/// What `DequantizeLinear` gives: for each element its own block's scale and zero point.
fn dequantised(
    node: &NodeProto,
    constants: &BTreeMap<String, TensorProto>,
) -> Result<TensorProto, ModelError> {
    let attribute = |name: &str| node.attribute.iter().find(|a| a.name == name).map(|a| a.i);
    let quantised = &constants[&node.input[0]];
    let scale =
        &constants[node.input.get(1).ok_or_else(|| unread("a DequantizeLinear without scale"))?];
    let dims = lengths(quantised)?;
    let scale_dims = lengths(scale)?;
    let weights = integers(quantised)?;
    let scales = floats(scale)?;
    let zeros = match node.input.get(2) {
        Some(name) => integers(&constants[name])?,
        None => vec![0.0; scales.len()],
    };
    if zeros.len() != scales.len() {
        return Err(unread(&format!("{} zero points for {} scales", zeros.len(), scales.len())));
    }
    let axis = attribute("axis").unwrap_or(1);
    let rank = i64::try_from(dims.len()).map_err(|_| unread("a tensor of countless axes"))?;
    let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).unwrap_or(usize::MAX);
    let block = usize::try_from(attribute("block_size").unwrap_or(0))
        .map_err(|_| unread("a negative block size"))?;
    // One scale for all, one for each index along the axis, or one for each block along it.
    let per_tensor = scales.len() == 1 && block == 0;
    if !per_tensor {
        let Some(&along) = dims.get(axis) else {
            return Err(unread(&format!("axis {axis} of a tensor with {} axes", dims.len())));
        };
        let mut wanted = dims.clone();
        wanted[axis] = if block == 0 { along } else { along.div_ceil(block) };
        let fits = if block == 0 { scale_dims == [along] } else { scale_dims == wanted };
        if !fits {
            return Err(unread(&format!(
                "scales of shape {scale_dims:?} for weights of shape {dims:?} in blocks of {block}"
            )));
        }
    }
    let along = dims.get(axis).copied().unwrap_or(1);
    let inner: usize = dims.iter().skip(axis.saturating_add(1)).product();
    let value = |(at, w): (usize, f32)| {
        let of = if per_tensor {
            0
        } else if block == 0 {
            at / inner % along
        } else {
            let (outer, index) = (at / inner / along, at / inner % along);
            (outer * along.div_ceil(block) + index / block) * inner + at % inner
        };
        (w - zeros[of]) * scales[of]
    };
    let values =
        weights.into_iter().enumerate().flat_map(|at_w| value(at_w).to_le_bytes()).collect();
    Ok(TensorProto {
        dims: quantised.dims.clone(),
        data_type: DataType::Float as i32,
        raw_data: values,
        ..TensorProto::default()
    })
}

/// The tensor in its new shape: 0 keeps an axis, -1 takes what is left.
fn reshaped(tensor: &TensorProto, shape: &TensorProto) -> Result<TensorProto, ModelError> {
    let old = lengths(tensor)?;
    let total = old
        .iter()
        .try_fold(1usize, |p, &d| p.checked_mul(d))
        .ok_or_else(|| unread(&format!("a tensor of shape {old:?}")))?;
    let wanted: Vec<i64> = if shape.raw_data.is_empty() {
        shape.int64_data.clone()
    } else {
        shape.raw_data.as_chunks::<8>().0.iter().map(|&b| i64::from_le_bytes(b)).collect()
    };
    let refused = || unread(&format!("a shape {wanted:?} for {total} values"));
    let mut dims = Vec::new();
    for (at, &d) in wanted.iter().enumerate() {
        dims.push(match d {
            0 => tensor.dims.get(at).copied().ok_or_else(refused)?,
            d => d,
        });
    }
    let known: i64 = dims
        .iter()
        .filter(|&&d| d != -1)
        .try_fold(1i64, |p, &d| p.checked_mul(d))
        .ok_or_else(refused)?;
    let total_signed = i64::try_from(total).map_err(|_| refused())?;
    if let Some(open) = dims.iter().position(|&d| d == -1) {
        dims[open] = total_signed.checked_div(known).ok_or_else(refused)?;
    }
    if dims.iter().any(|&d| d < 0)
        || dims.iter().try_fold(1i64, |p, &d| p.checked_mul(d)) != Some(total_signed)
    {
        return Err(refused());
    }
    Ok(TensorProto { dims, ..tensor.clone() })
}

/// The lengths of a tensor's axes.
fn lengths(tensor: &TensorProto) -> Result<Vec<usize>, ModelError> {
    tensor
        .dims
        .iter()
        .map(|&d| {
            usize::try_from(d).map_err(|_| unread(&format!("a tensor of shape {:?}", tensor.dims)))
        })
        .collect()
}

/// The values of an int8 or uint8 tensor; each is exact in f32.
fn integers(tensor: &TensorProto) -> Result<Vec<f32>, ModelError> {
    let values: Vec<f32> = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Int8) => {
            tensor.raw_data.iter().map(|&b| f32::from(i8::from_le_bytes([b]))).collect()
        }
        Ok(DataType::Uint8) => tensor.raw_data.iter().map(|&b| f32::from(b)).collect(),
        other => return Err(unread(&format!("quantised weights of type {other:?}"))),
    };
    counted(tensor, values)
}

/// The values of an f32 tensor.
fn floats(tensor: &TensorProto) -> Result<Vec<f32>, ModelError> {
    let values = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) if tensor.raw_data.is_empty() => tensor.float_data.clone(),
        Ok(DataType::Float) => {
            tensor.raw_data.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
        }
        other => return Err(unread(&format!("scales of type {other:?}"))),
    };
    counted(tensor, values)
}

fn counted(tensor: &TensorProto, values: Vec<f32>) -> Result<Vec<f32>, ModelError> {
    let wanted = lengths(tensor)?.iter().try_fold(1usize, |p, &d| p.checked_mul(d));
    if wanted == Some(values.len()) {
        Ok(values)
    } else {
        Err(unread(&format!(
            "a tensor of shape {:?} with {} values in the file",
            tensor.dims,
            values.len()
        )))
    }
}

fn unread(found: &str) -> ModelError {
    ModelError::Quantised { found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::{AttributeProto, ValueInfoProto};

    fn tensor(name: &str, dims: &[i64], data_type: DataType, raw_data: Vec<u8>) -> TensorProto {
        TensorProto {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: data_type as i32,
            raw_data,
            ..TensorProto::default()
        }
    }

    fn f32s(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }

    fn node(op: &str, input: &[&str], output: &str, ints: &[(&str, i64)]) -> NodeProto {
        NodeProto {
            op_type: op.to_owned(),
            input: input.iter().map(|&i| i.to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: ints
                .iter()
                .map(|&(name, i)| AttributeProto {
                    name: name.to_owned(),
                    i,
                    ..AttributeProto::default()
                })
                .collect(),
            ..NodeProto::default()
        }
    }

    /// y = x + dropout(reshape(dequantised w)), with w of 2 x 3 in blocks of 2 along axis 1.
    fn model() -> ModelProto {
        let named = |n: &str| ValueInfoProto { name: n.to_owned(), ..ValueInfoProto::default() };
        ModelProto {
            graph: Some(GraphProto {
                initializer: vec![
                    tensor(
                        "w",
                        &[2, 3],
                        DataType::Int8,
                        [1i8, -2, 3, 4, 5, -128].map(|v| v.to_le_bytes()[0]).to_vec(),
                    ),
                    tensor("s", &[2, 2], DataType::Float, f32s(&[0.5, 2.0, 1.0, 0.25])),
                    tensor("z", &[2, 2], DataType::Int8, vec![1, 0, 0, 2]),
                    tensor(
                        "shape",
                        &[2],
                        DataType::Int64,
                        [3i64, -1].iter().flat_map(|v| v.to_le_bytes()).collect(),
                    ),
                ],
                node: vec![
                    node(
                        "DequantizeLinear",
                        &["w", "s", "z"],
                        "d",
                        &[("axis", 1), ("block_size", 2)],
                    ),
                    node("Reshape", &["d", "shape"], "r", &[]),
                    node("Dropout", &["x"], "same", &[]),
                    node("Add", &["same", "r"], "y", &[]),
                ],
                input: vec![named("x"), named("w")],
                output: vec![named("y")],
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        }
    }

    #[test]
    fn each_weight_gets_its_own_blocks_scale_and_zero_point() {
        let plain = ModelProto::decode(&*dequantise(&model().encode_to_vec()).unwrap()).unwrap();
        let graph = plain.graph.unwrap();
        let [add] = &graph.node[..] else { panic!("one node is left") };
        assert_eq!(
            (add.op_type.as_str(), &add.input[..]),
            ("Add", &["x".to_owned(), "r".to_owned()][..])
        );
        let [r] = &graph.initializer[..] else { panic!("one constant is left") };
        assert_eq!((r.name.as_str(), &r.dims[..]), ("r", &[3, 2][..]));
        assert_eq!(floats(r).unwrap(), [0.0, -1.5, 6.0, 4.0, 5.0, -32.5]);
        assert_eq!(graph.input.len(), 1, "constants are no inputs");
    }

    #[test]
    fn the_order_of_constants_in_the_file_does_not_change_the_result() {
        let mut other = model();
        other.graph.as_mut().unwrap().initializer.reverse();
        assert_eq!(
            dequantise(&model().encode_to_vec()).unwrap(),
            dequantise(&other.encode_to_vec()).unwrap()
        );
    }

    #[test]
    fn what_can_not_be_vouched_for_is_refused_by_name() {
        let refusal = |change: &dyn Fn(&mut GraphProto)| {
            let mut wrong = model();
            change(wrong.graph.as_mut().unwrap());
            dequantise(&wrong.encode_to_vec()).unwrap_err().to_string()
        };
        assert!(refusal(&|g| g.node[3].op_type = "Loop".to_owned()).contains("operator Loop"));
        assert!(refusal(&|g| g.initializer[1].dims = vec![1, 4]).contains("[1, 4]"));
        assert!(refusal(&|g| g.initializer[0].raw_data.truncate(5)).contains("5 values"));
        assert!(
            refusal(&|g| g.initializer[0].data_type = DataType::Int32 as i32).contains("Int32")
        );
        assert!(refusal(&|g| g.initializer[0].dims = vec![-2, 3]).contains("[-2, 3]"));
        assert!(refusal(&|g| g.initializer[3].raw_data[0] = 4).contains("6 values"));
        assert!(dequantise(b"not a model").is_err());
        assert!(dequantise(b"").is_err());
    }
}
