import Testing

@testable import dlt_proc_watch
