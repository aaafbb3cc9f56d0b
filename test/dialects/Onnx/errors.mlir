// RUN: adze-opt %s -split-input-file -verify-diagnostics

func.func @no_operator_name() {
  // expected-error @+1 {{needs an operator name}}
  onnx.node ""() {since_version = 1 : i64} : () -> ()
  return
}

// -----

func.func @since_version() {
  // expected-error @+1 {{since_version must be at least 1, got 0}}
  onnx.node "Relu"() {since_version = 0 : i64} : () -> ()
  return
}

// -----

func.func @attribute_form() {
  // expected-error @+1 {{attribute 'a' has no ONNX counterpart}}
  onnx.node "Relu"() {since_version = 1 : i64, onnx_attributes = {a = 1 : i32}} : () -> ()
  return
}

// -----

func.func @operand_type(%i: index) {
  // expected-error @+1 {{operand #0 must be variadic of a tensor, or a type of the onnx dialect, but got 'index'}}
  onnx.node "Relu"(%i) {since_version = 1 : i64} : (index) -> ()
  return
}

// -----

func.func @scalar_string() {
  // expected-error @+1 {{result #0 must be variadic of a tensor, or a type of the onnx dialect, but got '!onnx.string'}}
  onnx.node "Make"() {since_version = 1 : i64} : () -> (!onnx.string)
  return
}

// -----

func.func @unnamed_body() {
  // expected-error @+1 {{has 1 bodies and 0 names for them}}
  onnx.node "If"() {since_version = 1 : i64} bodies {
    onnx.return
  } : () -> ()
  return
}

// -----

func.func @unterminated_body() {
  // expected-error @+1 {{body must end with onnx.return}}
  onnx.node "If"() {since_version = 1 : i64, body_names = ["then_branch"]} bodies {
    %n = onnx.none : !onnx.none
  } : () -> ()
  return
}

// -----

func.func @stray_return() {
  // expected-error @+1 {{'onnx.return' op expects parent op 'onnx.node'}}
  onnx.return
}

// -----

// expected-error @+1 {{element type must be a tensor, sequence or optional, got 'f32'}}
func.func private @sequence(!onnx.seq<f32>)

// -----

// expected-error @+1 {{element type must be a tensor, sequence or optional, got '!onnx.none'}}
func.func private @optional(!onnx.optional<!onnx.none>)

// -----

// expected-error @+1 {{onnx.opsets must map domains to versions}}
module attributes {onnx.opsets = [28]} {}

// -----

// expected-error @+1 {{onnx.ir_version must be an integer}}
module attributes {onnx.ir_version = "8"} {}

// -----

// expected-error @+1 {{onnx.metadata must be an array of [key, value] strings}}
module attributes {onnx.metadata = [["key"]]} {}

// -----

// expected-error @+1 {{onnx.name must be a string}}
func.func private @name(tensor<2xf32> {onnx.name = 1})

// -----

// expected-error @+1 {{onnx.dims must have one entry a dimension of 'tensor<2xf32>'}}
func.func private @dims(tensor<2xf32> {onnx.dims = ["a", "b"]})

// -----

// expected-error @+1 {{onnx.ranges has an entry that is no [low, high] pair}}
func.func private @ranges(tensor<?xf32> {onnx.ranges = [array<i64: 8, 1>]})
