"""Learning-rate schedules: the rate of every step, and their settings."""

import numpy as np

STEPS = 61


def rates(K, name, *arguments, **options):
    """The rate of each of the first steps and of a late one, and the settings."""
    schedule = getattr(K.optimizers.schedules, name)(*arguments, **options)
    config = schedule.get_config()
    again = type(schedule).from_config(config)
    steps = [*range(STEPS), 1000]
    numbers = {k: float(v) for k, v in config.items() if isinstance(v, (int, float))}
    return {"rates": np.array([float(schedule(step)) for step in steps]),
            "again": np.array([float(again(step)) for step in steps]),
            "names": sorted(config), "name": [config["name"]]} | {f"value_{k}": v for k, v in numbers.items()}


# rates of about 1, so that the tolerance of the comparison is a relative one
SCHEDULES = {
    "exponential": ("ExponentialDecay", (0.5, 20, 0.7), {}),
    "exponential_staircase": ("ExponentialDecay", (0.5, 20, 0.7, True), {}),
    "inverse_time": ("InverseTimeDecay", (0.5, 16, 0.5), {}),
    "inverse_time_staircase": ("InverseTimeDecay", (0.5, 16, 0.5), {"staircase": True}),
    "piecewise": ("PiecewiseConstantDecay", ([10, 30], [1.0, 0.5, 0.25]), {}),
    "piecewise_one": ("PiecewiseConstantDecay", ([7], [1.0, 0.5]), {}),
    "polynomial": ("PolynomialDecay", (0.5, 40), {}),
    "polynomial_power": ("PolynomialDecay", (0.5, 40, 0.1, 2.0), {}),
    "polynomial_cycle": ("PolynomialDecay", (0.5, 16, 0.1, 0.5), {"cycle": True}),
    "cosine": ("CosineDecay", (0.5, 40), {}),
    "cosine_alpha": ("CosineDecay", (0.5, 40, 0.1), {}),
    "cosine_warmup": ("CosineDecay", (0.1, 32), {"warmup_target": 0.5, "warmup_steps": 10}),
    "cosine_warmup_alpha": ("CosineDecay", (0.0, 32, 0.2), {"warmup_target": 0.5, "warmup_steps": 8}),
    "restarts": ("CosineDecayRestarts", (0.5, 8), {}),
    "restarts_even": ("CosineDecayRestarts", (0.5, 8), {"t_mul": 1.0, "m_mul": 0.8}),
    "restarts_settings": ("CosineDecayRestarts", (0.5, 8, 1.5, 0.7, 0.1), {}),
}
CASES = {key: (lambda K, name=name, arguments=arguments, options=options: rates(K, name, *arguments, **options))
         for key, (name, arguments, options) in SCHEDULES.items()}
