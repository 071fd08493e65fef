import CZlib

/// Compresses as gzip, RFC 1952. Errors: nil if zlib has no memory.
func gzip(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
  var stream = z_stream()
  // 16 more than the size of the window asks zlib for gzip's header. The fastest level: lines of one
  // kind are so much alike that it makes a tenth of them.
  let opened = deflateInit2_(
    &stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
    Int32(MemoryLayout<z_stream>.size))
  guard opened == Z_OK else { return nil }
  defer { deflateEnd(&stream) }
  var input = Array(bytes)
  let capacity = Int(deflateBound(&stream, UInt(input.count)))
  let output = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
    input.withUnsafeMutableBufferPointer { source in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(source.count)
      stream.next_out = buffer.baseAddress
      stream.avail_out = UInt32(buffer.count)
      count = deflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : 0
    }
  }
  return output.isEmpty ? nil : output
}
