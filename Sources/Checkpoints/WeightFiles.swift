import Models
import Tensors

// Which file of a model's folder holds which parameters, and under which names.
//
//   model.safetensors            whole weights, by their names
//   adapter_model.safetensors    low-rank maps and what is trained whole beside them, as PEFT:
//                                base_model.model.NAME
//   value_head.safetensors       a value head, which neither transformers nor PEFT knows

/// One file of weights.
struct WeightFile {
  /// The name in the folder.
  let name: String
  /// What precedes a parameter's name in the file.
  let prefix: String
  /// The parameters.
  let entries: [ParameterLayout.Entry]
}

extension ParameterLayout {
  /// The files that hold these parameters.
  var files: [WeightFile] {
    let isValue = { (entry: Entry) in ValuedModelConfiguration.isOfHead(entry.name) }
    let main =
      lowRank == nil
      ? (name: ModelFiles.weightsName, prefix: "")
      : (name: AdapterConfiguration.weightsName, prefix: AdapterConfiguration.prefix)
    let files = [
      WeightFile(
        name: main.name, prefix: main.prefix, entries: entries.filter { !isValue($0) }),
      WeightFile(name: "value_head.safetensors", prefix: "", entries: entries.filter(isValue)),
    ]
    return files.filter { !$0.entries.isEmpty }
  }
}
