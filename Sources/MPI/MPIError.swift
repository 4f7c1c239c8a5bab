internal import CMPI

/// An error of MPI.
///
/// After an error the state of MPI on this rank is undefined (MPI Standard 3.1, section 8.3), and
/// the other ranks may wait for it: print the sentence, then call ``Communicator/abort(code:)``.
package enum MPIError: Error, Equatable, Sendable, CustomStringConvertible {
  /// An MPI function returned `code`, which MPI explains as `text`.
  case call(function: String, code: Int32, text: String)
  /// The library grants a lower thread level than the program needs.
  case threadLevel(requested: ThreadLevel, granted: ThreadLevel)

  /// One sentence with what failed, why, and what to do.
  package var description: String {
    switch self {
    case .call(let function, let code, let text):
      "\(function) failed with code \(code) (\(text)); "
        + "abort all ranks and start the run again from its last checkpoint"
    case .threadLevel(let requested, let granted):
      "MPI_Init_thread granted \(granted) where \(requested) is needed; "
        + "install an MPI library that is built with thread support"
    }
  }
}

/// Throws unless `code`, which `function` returned, is MPI_SUCCESS.
///
/// Every call of an MPI function that can fail passes its return code to this function.
func check(_ code: Int32, _ function: StaticString) throws(MPIError) {
  guard code != MPI_SUCCESS else { return }
  throw .call(function: "\(function)", code: code, text: errorText(code))
}

private func errorText(_ code: Int32) -> String {
  var length: Int32 = 0
  var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
  guard MPI_Error_string(code, &text, &length) == MPI_SUCCESS, length > 0 else {
    return "MPI has no text for it"
  }
  return String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
