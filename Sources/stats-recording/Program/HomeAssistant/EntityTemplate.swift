/// Templates of Jinja that take an entity's state out of a message.
///
/// A message is one object or an array of them, and a topic may carry several kinds: the last record
/// of the right kind counts. Without one the result is empty, which Home Assistant passes over;
/// a field that is absent gives `None`, which it shows as unknown.
enum EntityTemplate {
  static func field(_ name: String, of thing: EntityThing, _ form: EntityForm) -> String {
    let value = "r.get('\(name)')"
    if form.platform == .binarySensor {
      return record(
        thing, "{% set v = \(value) %}{{ None if v is none else 'ON' if v else 'OFF' }}")
    }
    if form.isRatio {
      return record(
        thing, "{% set v = \(value) %}{{ None if v is none else (v * 100) | round(3) }}")
    }
    // A state has room for 255 characters.
    if form.isText { return record(thing, "{{ r.get('\(name)', 'None')[:255] }}") }
    return record(thing, "{{ \(value) }}")
  }

  static func hasFailed(_ thing: EntityThing) -> String {
    record(thing, "{{ 'ON' if r.get('active_state') == 'failed' else 'OFF' }}")
  }

  /// Of the status, which is one object; the last will has the state alone.
  static func status(_ name: String) -> String { "{{ value_json.get('\(name)') }}" }

  static func isUnavailable(_ program: String) -> String {
    "{% set v = value_json.get('\(program)_state') %}"
      + "{{ None if v is none else 'ON' if v == 'unavailable' else 'OFF' }}"
  }

  static let availability = "{{ value_json.get('state') }}"

  private static func record(_ thing: EntityThing, _ result: String) -> String {
    var filters = "selectattr('kind', 'eq', '\(thing.kind.name)')"
    for each in thing.distinctions {
      filters += " | selectattr('\(each.name)', 'eq', '\(quoted(each.value))')"
    }
    return "{% set r = ([value_json] if value_json is mapping else value_json) | \(filters)"
      + " | list | last %}{% if r is defined %}\(result){% endif %}"
  }

  /// Names come from the device: nothing in them may end the text.
  private static func quoted(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("'", with: "\\'").replacing("\n", with: "\\n")
  }
}
