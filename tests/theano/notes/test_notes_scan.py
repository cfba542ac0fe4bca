"""The notes on GPUs and the basics, every code block under the old names:
how scan is used.

Blocks that are misspelt in the text are mended; what they mean is kept. Programs for a GPU run on
`device='cpu'` here.
"""

import numpy
import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.theano.shown import same

floatX = theano.config.floatX

# --- scan ---


def test_the_order_of_arguments() -> None:
    """The text's list of what the function of a scan is given."""
    Sequence1, Sequence2, Sequence3 = T.vectors("Sequence1", "Sequence2", "Sequence3")
    Output1, Output3 = T.vector("Output1"), T.scalar("Output3")
    Argument1, Argument2 = T.scalars("Argument1", "Argument2")
    names = []

    def fn(*arguments):
        names.extend(str(a) for a in arguments)
        return arguments[5] + 1, arguments[0], arguments[7] + 1

    theano.scan(
        fn,
        sequences=[
            dict(input=Sequence1, taps=[-3, 2, -1]),
            Sequence2,
            dict(input=Sequence3, taps=3),
        ],
        outputs_info=[
            dict(initial=Output1, taps=[-3, -5]),
            dict(initial=None, taps=None),
            Output3,
        ],
        non_sequences=[Argument1, Argument2],
    )
    assert names == [
        "Sequence1[t-3]",
        "Sequence1[t+2]",
        "Sequence1[t-1]",
        "Sequence2[t]",
        "Sequence3[t+3]",
        "Output1[t-3]",
        "Output1[t-5]",
        "Output3[t-1]",
        "Argument1",
        "Argument2",
    ]


def test_scan_adds_numbers_up(capsys: pytest.CaptureFixture[str]) -> None:
    mode = theano.Mode(linker="cvm")

    def fun(a, b):
        return a + b

    input = T.vector("input")
    output, update = theano.scan(
        fun,
        sequences=input,
        outputs_info=[T.as_tensor_variable(np.asarray(1, input.dtype))],
        mode=mode,
    )
    out = theano.function(inputs=[input], outputs=output)
    in1 = numpy.array([1, 2, 3])
    print(out(in1))
    same(capsys.readouterr().out, "[2. 4. 7.]")


def test_scan_adds_rows_up(capsys: pytest.CaptureFixture[str]) -> None:
    mode = theano.Mode(linker="cvm")

    def fun(a, b):
        return a + b

    input = T.matrix("input")
    output, update = theano.scan(
        fun,
        sequences=input,
        outputs_info=[T.as_tensor_variable(np.asarray([0, 0, 0], input.dtype))],
    )
    out = theano.function(inputs=[input], outputs=output, mode=mode)
    in1 = numpy.array([[1, 2, 3], [4, 5, 6]])
    print(in1)
    print(out(in1))
    same(capsys.readouterr().out, "[[1 2 3] [4 5 6]] [[1. 2. 3.] [5. 7. 9.]]")


def test_components_of_a_polynomial() -> None:
    coefficients, x = T.vector("coefficients"), T.scalar("x")
    max_coefficients_supported = 100
    components, updates = theano.scan(
        fn=lambda coefficient, power, free_variable: coefficient * (free_variable**power),
        outputs_info=None,
        sequences=[coefficients, theano.tensor.arange(max_coefficients_supported)],
        non_sequences=x,
    )
    f = theano.function([coefficients, x], components)
    np.testing.assert_allclose(f([1, 0, 2], 3), [1, 0, 18])


# --- How scan is used ---


def test_power(capsys: pytest.CaptureFixture[str]) -> None:
    k = T.iscalar("k")
    A = T.vector("A")

    # Symbolic description of the result
    result, updates = theano.scan(
        fn=lambda prior_result, A: prior_result * A,
        outputs_info=T.ones_like(A),
        non_sequences=A,
        n_steps=k,
    )

    # We only care about A**k, but scan has provided us with A**1 through A**k.
    # Discard the values that we don't care about. Scan is smart enough to
    # notice this and not waste memory saving them.
    final_result = result[-1]

    # compiled function that returns A**k
    power = theano.function(inputs=[A, k], outputs=final_result, updates=updates)

    assert power(range(10), 2).tolist() == [float(n**2) for n in range(10)]
    assert power(range(10), 4).tolist() == [float(n**4) for n in range(10)]


def test_polynomial() -> None:
    coefficients = theano.tensor.vector("coefficients")
    x = T.scalar("x")

    max_coefficients_supported = 10000

    # Generate the components of the polynomial
    components, updates = theano.scan(
        fn=lambda coefficient, power, free_variable: coefficient * (free_variable**power),
        outputs_info=None,
        sequences=[coefficients, theano.tensor.arange(max_coefficients_supported)],
        non_sequences=x,
    )
    # Sum them up
    polynomial = components.sum()

    # Compile a function
    calculate_polynomial = theano.function(inputs=[coefficients, x], outputs=polynomial)

    # Test
    test_coefficients = numpy.asarray([1, 0, 2], dtype=numpy.float32)
    test_value = 3
    assert calculate_polynomial(test_coefficients, test_value) == 1.0 * (3**0) + 0.0 * (
        3**1
    ) + 2.0 * (3**2)


def test_accumulation_into_a_scalar() -> None:
    up_to = T.iscalar("up_to")

    # define a named function, rather than using lambda
    def accumulate_by_adding(arange_val, sum_to_date):
        return sum_to_date + arange_val

    seq = T.arange(up_to)

    # An unauthorized implicit downcast from the dtype of 'seq', to that of
    # 'T.as_tensor_variable(0)' which is of dtype 'int8' by default would occur
    # if this instruction were to be used instead of the next one:
    # outputs_info = T.as_tensor_variable(0)

    outputs_info = T.as_tensor_variable(np.asarray(0, seq.dtype))
    scan_result, scan_updates = theano.scan(
        fn=accumulate_by_adding, outputs_info=outputs_info, sequences=seq
    )
    triangular_sequence = theano.function(inputs=[up_to], outputs=scan_result)

    # test
    some_num = 15
    assert triangular_sequence(some_num).tolist() == [n * (n + 1) // 2 for n in range(some_num)]


def test_setting_values_at_positions() -> None:
    location = T.imatrix("location")
    values = T.vector("values")
    output_model = T.matrix("output_model")

    def set_value_at_position(a_location, a_value, output_model):
        zeros = T.zeros_like(output_model)
        zeros_subtensor = zeros[a_location[0], a_location[1]]
        return T.set_subtensor(zeros_subtensor, a_value)

    result, updates = theano.scan(
        fn=set_value_at_position,
        outputs_info=None,
        sequences=[location, values],
        non_sequences=output_model,
    )

    assign_values_at_positions = theano.function(
        inputs=[location, values, output_model], outputs=result
    )

    # test
    test_locations = numpy.asarray([[1, 1], [2, 3]], dtype=numpy.int32)
    test_values = numpy.asarray([42, 50], dtype=numpy.float32)
    test_output_model = numpy.zeros((5, 5), dtype=numpy.float32)
    made = assign_values_at_positions(test_locations, test_values, test_output_model)
    wanted = np.zeros((2, 5, 5))
    wanted[0, 1, 1], wanted[1, 2, 3] = 42, 50
    np.testing.assert_array_equal(made, wanted)


def gibbs_by_hand(sample, W, bvis, bhid, steps: int):
    """Ten steps of the chain by NumPy, with the streams' own generators."""
    seeds = numpy.random.RandomState(1234)
    hidden, visible = (numpy.random.RandomState(int(seeds.randint(2**30))) for _ in range(2))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    for _ in range(steps):
        h = hidden.binomial(n=1, p=sigmoid(sample @ W + bhid))
        sample = visible.binomial(n=1, p=sigmoid(h @ W.T + bvis)).astype(float)
    return sample


@pytest.mark.parametrize("passed", [False, True])
def test_gibbs_sampling(passed: bool) -> None:
    rng = numpy.random.RandomState(3)
    W_values, bvis_values, bhid_values = rng.randn(7, 5), rng.randn(7), rng.randn(5)

    W = theano.shared(W_values)  # we assume that ``W_values`` contains the
    # initial values of your weight matrix
    bvis = theano.shared(bvis_values)
    bhid = theano.shared(bhid_values)

    trng = T.shared_randomstreams.RandomStreams(1234)

    def OneStep(vsample, W=W, bvis=bvis, bhid=bhid):
        hmean = T.nnet.sigmoid(theano.dot(vsample, W) + bhid)
        hsample = trng.binomial(size=hmean.shape, n=1, p=hmean)
        vmean = T.nnet.sigmoid(theano.dot(hsample, W.T) + bvis)
        return trng.binomial(size=vsample.shape, n=1, p=vmean, dtype=theano.config.floatX)

    sample = theano.tensor.vector()

    if passed:
        values, updates = theano.scan(
            fn=OneStep, outputs_info=sample, non_sequences=[W, bvis, bhid], n_steps=10
        )
    else:
        values, updates = theano.scan(OneStep, outputs_info=sample, n_steps=10)

    gibbs10 = theano.function([sample], values[-1], updates=updates)
    start = np.ones(7)
    np.testing.assert_array_equal(
        gibbs10(start), gibbs_by_hand(start, W_values, bvis_values, bhid_values, 10)
    )


def test_a_shared_variable_that_a_loop_updates() -> None:
    a = theano.shared(1)
    values, updates = theano.scan(lambda: {a: a + 1}, n_steps=10)

    b = a + 1
    c = updates[a] + 1

    f = theano.function([], [b, c], updates=updates)

    assert f() == [2, 12]
    assert a.get_value() == 11
    assert f() == [12, 22]
    assert a.get_value() == 21

    with pytest.raises(Exception, match="get_value"):
        _ = a.value

    a.set_value(1)
    with pytest.warns(UserWarning, match="pass the updates"):
        without = theano.function([], [b, c])
    for _ in range(2):
        assert without() == [2, 12]
        assert a.get_value() == 1


def test_recurrent_network_with_several_taps() -> None:
    rng = numpy.random.RandomState(5)
    W, W_in_1, W_in_2, W_feedback, W_out = (
        theano.shared(rng.uniform(-0.5, 0.5, size))
        for size in ((4, 4), (3, 4), (3, 4), (2, 4), (4, 2))
    )

    def oneStep(u_tm4, u_t, x_tm3, x_tm1, y_tm1, W, W_in_1, W_in_2, W_feedback, W_out):
        x_t = T.tanh(
            theano.dot(x_tm1, W)
            + theano.dot(u_t, W_in_1)
            + theano.dot(u_tm4, W_in_2)
            + theano.dot(y_tm1, W_feedback)
        )
        y_t = theano.dot(x_tm3, W_out)

        return [x_t, y_t]

    u = T.matrix()  # it is a sequence of vectors
    x0 = T.matrix()  # initial state of x has to be a matrix, since
    # it has to cover x[-3]
    y0 = T.vector()  # y0 is just a vector since scan has only to provide
    # y[-1]

    ([x_vals, y_vals], updates) = theano.scan(
        fn=oneStep,
        sequences=dict(input=u, taps=[-4, -0]),
        outputs_info=[dict(initial=x0, taps=[-3, -1]), y0],
        non_sequences=[W, W_in_1, W_in_2, W_feedback, W_out],
        strict=True,
    )
    # for second input y, scan adds -1 in output_taps by default
    f = theano.function([u, x0, y0], [x_vals, y_vals], updates=updates)

    inputs, xs, ys = rng.randn(9, 3), list(rng.randn(3, 4)), [rng.randn(2)]
    made_x, made_y = f(inputs, np.array(xs), ys[0])
    w, w1, w2, wf, wo = (v.get_value() for v in (W, W_in_1, W_in_2, W_feedback, W_out))
    for t in range(4, 9):
        new = np.tanh(xs[-1] @ w + inputs[t] @ w1 + inputs[t - 4] @ w2 + ys[-1] @ wf)
        ys.append(xs[-3] @ wo)
        xs.append(new)
    np.testing.assert_allclose(made_x, xs[3:], rtol=1e-12)
    np.testing.assert_allclose(made_y, ys[1:], rtol=1e-12)


def test_repeat_until(capsys: pytest.CaptureFixture[str]) -> None:
    def power_of_2(previous_power, max_value):
        return previous_power * 2, theano.scan_module.until(previous_power * 2 > max_value)

    max_value = T.scalar()

    values, _ = theano.scan(
        power_of_2,
        outputs_info=T.constant(1.0, dtype=floatX),
        non_sequences=max_value,
        n_steps=1024,
    )

    f = theano.function([max_value], values)

    print(f(45))
    same(capsys.readouterr().out, "[ 2. 4. 8. 16. 32. 64.]")
