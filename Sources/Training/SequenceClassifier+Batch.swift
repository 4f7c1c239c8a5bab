import Datasets
import Layers
import Models
import Tensors

extension SequenceClassifier {
  /// Returns the scores of every example of `batch`, [examples, labels], in fp32.
  package func scores(_ batch: Batch, _ pass: ForwardPass) -> Tensor {
    self(batch.inputs, examples: batch.examples, pass)
  }
}
