/// The parts one behind the other.
///
/// Interpolation and `+` are inlined wherever they stand, half a kilobyte each time; this is not.
@inline(never)
func text(_ one: String, _ two: String, _ three: String = "", _ four: String = "") -> String {
  var bytes: [UInt8] = []
  for part in [one, two, three, four] { bytes.append(contentsOf: part.utf8) }
  return String(decoding: bytes, as: UTF8.self)
}
