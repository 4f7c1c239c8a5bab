internal import CMPI

// New communicators from old ones: MPI Standard 3.1, section 6.4.2. A new communicator inherits the
// limits, and counts its own traffic.
extension Communicator {
  /// Returns a communicator of the ranks that passed the same `color`; every rank must call.
  ///
  /// Ranks are numbered by ascending `key`, and by their old rank where keys are equal. A rank that
  /// needs no communicator passes a color of its own.
  package func split(color: Int, key: Int = 0) throws(MPIError) -> Communicator {
    precondition(0...Int(Int32.max) ~= color, "a color is within 0…2³¹−1, not \(color)")
    precondition(Int32(exactly: key) != nil, "a key has 32 bits, \(key) does not fit")
    var new = cmpi_comm_null()
    try collective(MPI_Comm_split(handle, Int32(color), Int32(key), &new), "MPI_Comm_split")
    return try adopt(new, from: "MPI_Comm_split")
  }

  /// Returns a communicator of the ranks on this host, in their old order; every rank must call.
  ///
  /// Ranks that can share memory are on one host: two containers on one machine may count as two.
  package func splitByHost() throws(MPIError) -> Communicator {
    var new = cmpi_comm_null()
    try collective(
      MPI_Comm_split_type(handle, cmpi_comm_type_shared(), 0, cmpi_info_null(), &new),
      "MPI_Comm_split_type")
    return try adopt(new, from: "MPI_Comm_split_type")
  }

  private func adopt(
    _ new: MPI_Comm!, from function: StaticString
  ) throws(MPIError) -> Communicator {
    guard new != nil, new != cmpi_comm_null() else {
      throw .call(function: "\(function)", code: MPI_ERR_COMM, text: "it returned no communicator")
    }
    let communicator = try Communicator(new, isOwned: true)
    communicator.maximumCount = maximumCount
    communicator.maximumAllToAllBytes = maximumAllToAllBytes
    return communicator
  }
}
