import Models
import Tensors

// The weights files of a model's folder, and the tensor names in them.
//
//   model.safetensors            full weights, under the parameters' names
//   adapter_model.safetensors    LoRA adapters and the modules trained in full, as in PEFT, under
//                                base_model.model.NAME
//   value_head.safetensors       a value head, which neither transformers nor PEFT supports

/// One weights file.
struct WeightFile {
  /// The name in the folder.
  let name: String
  /// The prefix of the parameters' names in the file.
  let prefix: String
  /// The parameters.
  let entries: [ParameterLayout.Entry]
}

extension ParameterLayout {
  /// The files that hold these parameters.
  var files: [WeightFile] {
    let isValue = { (entry: Entry) in ValueHeadModelConfiguration.isOfHead(entry.name) }
    let main =
      lora == nil
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
