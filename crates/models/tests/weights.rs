//! Weights in files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_models::{load_weights, named_tensors, serialize_tensors};
use tch::{Device, Kind, Tensor, nn};

fn store(sizes: &[(&str, &[i64])]) -> nn::VarStore {
    let variables = nn::VarStore::new(Device::Cpu);
    for (name, size) in sizes {
        let _ = variables.root().var(name, size, nn::Init::Uniform { lo: -1.0, up: 1.0 });
    }
    let _ = variables.root().zeros_no_train("buffer", &[2]);
    variables
}

fn file_of(variables: &nn::VarStore) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), serialize_tensors(&named_tensors(variables), None).unwrap()).unwrap();
    file
}

#[test]
fn what_is_written_is_read_back_to_the_bit() {
    let written = store(&[("a", &[3, 4]), ("b", &[5])]);
    let read = store(&[("a", &[3, 4]), ("b", &[5])]);
    load_weights(&read, file_of(&written).path()).unwrap();
    for ((name, left), (_, right)) in named_tensors(&written).iter().zip(named_tensors(&read)) {
        assert_eq!(left, &right, "{name}");
    }
    let bytes = |note: Option<String>| serialize_tensors(&named_tensors(&written), note).unwrap();
    assert_eq!(bytes(Some("x".to_owned())), bytes(Some("x".to_owned())));
}

#[test]
fn other_kinds_keep_their_bits() {
    let tensors = vec![
        ("double".to_owned(), Tensor::from_slice(&[0.1f64, -2.5])),
        ("long".to_owned(), Tensor::from_slice(&[1i64, -7]).reshape([2, 1])),
    ];
    let bytes = serialize_tensors(&tensors, None).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let read = Tensor::read_safetensors(file.path()).unwrap();
    assert_eq!(read.len(), 2);
    for (name, tensor) in read {
        let (_, expected) = tensors.iter().find(|(known, _)| *known == name).unwrap();
        assert_eq!((tensor.kind(), &tensor), (expected.kind(), expected));
    }
    let error = serialize_tensors(&[("half".to_owned(), Tensor::zeros([1], (Kind::Half, Device::Cpu)))], None);
    assert!(error.unwrap_err().to_string().contains("tensor half is Half"));
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() {
    let model = store(&[("a", &[3, 4]), ("b", &[5])]);
    let before: Vec<Tensor> = named_tensors(&model).iter().map(|(_, tensor)| tensor.copy()).collect();
    let message = |other: &nn::VarStore| load_weights(&model, file_of(other).path()).unwrap_err().to_string();
    let lacks = message(&store(&[("a", &[3, 4]), ("c", &[5])]));
    assert!(lacks.ends_with(": missing tensors: b; extra tensors: c"), "{lacks}");
    let shape = message(&store(&[("a", &[3, 4]), ("b", &[6])]));
    assert!(shape.ends_with("tensor b is Float [6], but the model needs Float [5]"), "{shape}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"no tensors").unwrap();
    assert!(load_weights(&model, file.path()).unwrap_err().to_string().contains("is no valid safetensors file"));
    assert!(load_weights(&model, std::path::Path::new("no/file")).unwrap_err().to_string().starts_with("cannot read"));
    for ((name, after), before) in named_tensors(&model).iter().zip(before) {
        assert_eq!(after, &before, "{name}");
    }
}
