import MPI
import Testing

struct MPIErrorTests {
  @Test func errorsAreOneSentence() {
    #expect(
      "\(MPIError.call(function: "MPI_Bcast", code: 17, text: "MPI_ERR_OTHER: known error"))"
        == "MPI_Bcast failed with code 17 (MPI_ERR_OTHER: known error); "
        + "abort all ranks and start the run again from its last checkpoint")
    #expect(
      "\(MPIError.threadLevel(requested: .multiple, granted: .funneled))"
        == "MPI_Init_thread granted MPI_THREAD_FUNNELED where MPI_THREAD_MULTIPLE is needed; "
        + "install an MPI library that is built with thread support")
  }

  @Test func threadLevelsAreOrdered() {
    #expect(ThreadLevel.single < .funneled)
    #expect(ThreadLevel.funneled < .serialized)
    #expect(ThreadLevel.serialized < .multiple)
  }
}
