"""What systems are worth: the synthetic world, baselines, measures, interventions, the paper's tables."""
