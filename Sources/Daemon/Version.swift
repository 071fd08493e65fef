/// The version of the whole suite; the packages take it from here.
public enum Version {
  public static let text: StaticString = "0.1.0"
}
