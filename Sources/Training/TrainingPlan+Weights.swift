import Checkpoints
import Tensors

extension TrainingPlan {
  /// Reads the parameters of `layout` that the initial model has; the others are unchanged.
  func readWeights(of layout: ParameterLayout, into values: FlatBuffer) throws {
    guard case .folder(let path) = weights else { return }
    let folder = try ModelFolder(path: path)
    guard tokenizer.vocabularySize > folder.tokenizer.vocabularySize else {
      return try folder.copyWeights(into: values, of: layout)
    }
    try folder.copyWeights(
      into: values, of: layout, extendedBy: tokenizer, seed: seed)
  }
}
